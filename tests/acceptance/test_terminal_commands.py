"""Slash commands, tried as a person does."""

from tests.acceptance.hermes import Hermes
from tests.acceptance.terminal import OpenChat, needs_tmux
from tests.servers.model import ModelServer
from tests.servers.script import Reply, Usage

pytestmark = needs_tmux


def test_commands_that_show_something(chat: OpenChat, hermes: Hermes, server: ModelServer) -> None:
    server.say(Reply(text="Blue.", usage=Usage(2000, 30, cache_read=1000)))
    hermes.run("-q", "which colour?")
    hermes.run("memory", "add", "Prefers tabs")
    server.say(Reply(text="Green.", usage=Usage(2500, 40, cache_read=1250)))
    tmux = chat("-c", rows=60)
    tmux.say("and now?")
    tmux.see("Green.")
    for command, answer in (
        ("/help", "@file:PATH"),
        ("/tools", "search_files"),
        ("/usage", "50% from the cache"),
        ("/config", "model.base_url"),
        ("/model", "Model: scripted-model"),
        ("/history", "which colour?"),
        ("/title A good title", "Title: A good title"),
        ("/personality", "kawaii"),
        ("/skills", "/planning"),
        ("/memory", "- Prefers tabs"),
        ("/nonsense", "There is no command /nonsense."),
        ("/re", "could be /new, /reasoning, /reload-mcp, /resume, /retry."),
    ):
        tmux.ready().say(command)
        tmux.see(answer)
    tmux.say("/clear")
    tmux.until(lambda screen: "Green." not in screen and "❯" in screen)
    assert "Green." not in tmux.screen(scrollback=True)
    tmux.say("/context")
    tmux.see("prompt: identity")
    tmux.see("last request (counted)")
    tmux.say("/save talk.md")
    tmux.see("Written to")
    assert "which colour?" in (hermes.folder / "talk.md").read_text()
    tmux.say("/save talk.md")
    tmux.see("✗")
    tmux.say("/quit")
    assert tmux.left() == 0


def test_a_skill_is_called_by_its_name_and_not_printed(chat: OpenChat, server: ModelServer) -> None:
    server.say(Reply(text="To Rome."))
    tmux = chat()
    tmux.say("/planning a trip")
    tmux.see("To Rome.")
    asked = server.model_requests[-1].json["messages"][-1]["content"]
    assert "small enough to check alone" in asked
    assert asked.endswith("a trip")
    assert "small enough" not in tmux.screen(scrollback=True)


def test_commands_that_move_the_conversation(
    chat: OpenChat, hermes: Hermes, server: ModelServer
) -> None:
    (hermes.folder / "f.txt").write_text("CONTENT")
    server.say(Reply(text="First."), Reply(text="Second."))
    tmux = chat()
    tmux.say("read @file:f.txt")
    tmux.see("First.")
    tmux.ready().say("/retry")
    tmux.see("Second.")
    retried = [m["content"] for m in server.model_requests[-1].json["messages"][1:]]
    assert len(retried) == 1
    assert retried[0].count("CONTENT") == 1
    tmux.ready().say("/undo")
    tmux.see("Taken back: read")
    tmux.say("/undo")
    tmux.see("There is nothing to take back.")
    server.say(Reply(text="Third."), Reply(text="Elsewhere."))
    tmux.say("anew")
    tmux.see("Third.")
    tmux.ready().say("/title first one")
    tmux.see("Title: first one")
    tmux.say("/new")
    tmux.see("A new session begins.")
    tmux.say("over there")
    tmux.see("Elsewhere.")
    assert len(server.model_requests[-1].json["messages"]) == 2
    tmux.ready().say("/resume nowhere")
    tmux.see("There is no session")
    tmux.say("/resume first one")
    tmux.until(lambda s: s.count("Third.") == 2)
    tmux.say("/resume first one")
    tmux.see("This is that session.")
    tmux.say("/stop")
    tmux.see("Nothing is running.")


def test_commands_that_choose(chat: OpenChat, hermes: Hermes, server: ModelServer) -> None:
    server.say(Reply(text="Hidden.", reasoning="thinking hard"))
    server.say(Reply(text="Shown.", reasoning="thinking harder"))
    tmux = chat(rows=50)
    tmux.say("/model anthropic:some-model")
    tmux.see("✗")
    tmux.say("/model")
    tmux.see("Model: scripted-model")
    tmux.say("/model other-model")
    tmux.see("Model: other-model")
    tmux.say("one")
    tmux.see("Hidden.")
    assert server.model_requests[0].json["model"] == "other-model"
    tmux.ready().say("/reasoning show")
    tmux.see(", shown")
    tmux.say("/reasoning high")
    tmux.see("Reasoning: high")
    tmux.say("two")
    tmux.see("Shown.")
    screen = tmux.screen()
    assert "thinking harder" in screen
    assert "thinking hard\n" not in screen
    tmux.ready().say("/reasoning deep")
    tmux.see("There is no effort")
    tmux.say("/personality none")
    tmux.see("Personality: none")
    tmux.say("/personality nobody")
    tmux.see("There is no personality")
    tmux.say("/verbose")
    tmux.see("Tool lines: verbose")
    tmux.say("/yolo")
    tmux.see("YOLO")
    tmux.say("/yolo")
    tmux.see_not("YOLO")


def test_commands_of_ones_own_pass_the_gate(
    chat: OpenChat, hermes: Hermes, server: ModelServer
) -> None:
    hermes.configure(
        "quick_commands:\n"
        "  greet: {type: exec, command: \"printf 'good \\\\033[2Jday\\\\n'; exit 3\"}\n"
        "  wipe: {type: exec, command: rm -rf ./precious}\n"
        "  bye: {type: alias, target: quit}\n"
        "  circle: {type: alias, target: circle}\n"
        "  quit: {type: exec, command: echo never}\n"
    )
    (hermes.folder / "precious").mkdir()
    tmux = chat()
    tmux.say("/greet")
    tmux.see("good day")
    tmux.see("/greet: exit status 3")
    tmux.say("/circle")
    tmux.see("which is no command")
    tmux.say("/wipe")
    tmux.see("[d] deny")
    tmux.answer("d")
    tmux.see("Denied by the person")
    assert (hermes.folder / "precious").exists()
    tmux.say("/bye")
    assert tmux.left() == 0
