"""The interactive chat while the agent works: what is shown, and what one may say meanwhile."""

import threading

from tests.acceptance.hermes import Hermes
from tests.acceptance.terminal import OpenChat, needs_tmux, without_empty_lines
from tests.acceptance.test_interruption import assert_whole, pid_in, running, wait_for
from tests.servers.model import ModelServer
from tests.servers.script import Call, Fault, Reply, Usage

pytestmark = needs_tmux


def test_an_answer_shows_as_it_comes_and_ends_as_markdown(
    chat: OpenChat, server: ModelServer
) -> None:
    hold = threading.Event()
    table = "| a | 中 |\n|---|---|\n| 🎉 | 2 |\n"
    text = f"# Findings\n\nThe **first** part.\n\n```python\nx = 1\n```\n\n{table}"
    server.say(Reply(text=text, chunks=5, hold=hold, hold_after=2, usage=Usage(1500, 20)))
    tmux = chat()
    tmux.say("look around")
    screen = tmux.see("# Findings")
    assert "first" not in screen
    assert "Ctrl-C stops" in screen
    hold.set()
    tmux.see("1.5k/")
    screen = tmux.ready().screen()
    shown = without_empty_lines(screen)
    assert "Findings" in shown
    assert "The first part." in shown
    assert "  x = 1" in shown
    assert any("a" in line and "中" in line for line in shown)
    assert "```" not in screen


def test_nothing_from_a_model_or_a_command_acts_on_the_terminal(
    chat: OpenChat, server: ModelServer
) -> None:
    evil = "\x1b]0;owned\x07\x1b[2J\x1b[31mred\x9b2Jone\x1b[?1049h\rtwo\u202ethree"
    command = r"printf '\033]0;owned\007\033[2J\033[?1049hprinted\n'; false"
    server.say(
        Reply(text=evil, reasoning=evil, chunks=1, calls=[Call("terminal", {"command": command})]),
        Reply(text="", calls=[Call("clarify", {"question": evil, "choices": [evil, "good"]})]),
        Reply(text="The end."),
    )
    tmux = chat()
    tmux.say("/reasoning show")
    tmux.say("/verbose verbose")
    title = tmux.ask("#{pane_title}")
    tmux.say("be evil")
    tmux.see("The agent asks")
    screen = tmux.see("redonetwothree")
    assert "printed" in screen
    assert "look" not in screen
    assert "/verbose verbose" in tmux.screen(scrollback=True)
    tmux.type("C-c")
    tmux.see("The end.")
    assert tmux.ask("#{pane_title} #{alternate_on}") == f"{title} 0"
    assert "\x1b[31m" not in tmux.screen(colours=True).replace("\x1b[31m✗", "")


def test_of_a_long_open_block_the_end_is_shown_and_all_of_it_stays(
    chat: OpenChat, server: ModelServer
) -> None:
    hold = threading.Event()
    lines = "".join(f"line {n}\n" for n in range(1, 81))
    server.say(Reply(chunks=[f"```\n{lines}", "```\nAfter."], hold=hold))
    tmux = chat(columns=60, rows=20)
    tmux.say("much")
    screen = tmux.see("line 80")
    assert "line 60" not in screen
    assert "Ctrl-C stops" in screen
    tmux.resize(44, 14)
    tmux.until(lambda s: "line 80" in s and "line 68" not in s)
    tmux.resize(70, 24)
    hold.set()
    tmux.see("After.")
    whole = without_empty_lines(tmux.ready().screen(scrollback=True))
    assert [line.strip() for line in whole if line.startswith("  line")] == lines.split("\n")[:-1]
    assert sum("❯ much" in line for line in whole) == 1


def test_ctrl_c_stops_and_the_second_leaves(
    chat: OpenChat, hermes: Hermes, server: ModelServer
) -> None:
    command = "echo half; echo $$ > shell.pid; sleep 1000"
    server.say(Reply(calls=[Call("terminal", {"command": command})]))
    tmux = chat()
    tmux.say("run it")
    tmux.see("half")
    child = pid_in(hermes.folder / "shell.pid")
    tmux.type("C-c")
    wait_for(lambda: not running(child))
    tmux.see("Interrupted")
    assert_whole(hermes.messages())
    server.say(Fault.hang())
    tmux.say("again")
    tmux.see("waiting for the model")
    tmux.type("C-c", "C-c")
    assert tmux.left() == 0
    assert "hermes --resume" in tmux.see("LEFT")


def test_what_is_typed_meanwhile_steers_or_waits_its_turn(
    chat: OpenChat, hermes: Hermes, server: ModelServer
) -> None:
    hold = threading.Event()
    (hermes.folder / "colour.txt").write_text("ultramarine")
    server.say(
        Reply(text="First.", hold=hold, calls=[Call("terminal", {"command": "true"})]),
        Reply(text="Second."),
        Reply(text="Third."),
    )
    tmux = chat()
    tmux.say("begin")
    tmux.see("First")
    tmux.say("in @file:colour.txt")
    tmux.see("will be told")
    tmux.say("/queue and then")
    tmux.see("1 queued")
    tmux.say("/new")
    tmux.see("/new waits")
    hold.set()
    tmux.see("Third.")
    asked = [r.json["messages"] for r in server.model_requests]
    assert "ultramarine" in asked[1][-1]["content"]
    assert asked[2][-1] == {"role": "user", "content": "and then"}


def test_in_interrupt_mode_what_is_typed_ends_the_turn(
    chat: OpenChat, hermes: Hermes, server: ModelServer
) -> None:
    hermes.configure("display:\n  busy_input_mode: interrupt\n")
    server.say(Fault.hang(), Reply(text="Now this."))
    tmux = chat()
    tmux.say("one thing")
    tmux.see("waiting for the model")
    tmux.say("no, another")
    tmux.see("Now this.")
    assert server.model_requests[-1].json["messages"][-1]["content"] == "no, another"


def test_several_tools_each_get_their_line_and_an_edit_its_diff(
    chat: OpenChat, hermes: Hermes, server: ModelServer
) -> None:
    (hermes.folder / "a.txt").write_text("one\ntwo\n")
    patch = {"mode": "replace", "path": "a.txt", "old_string": "two", "new_string": "zwei"}
    server.say(
        Reply(calls=[Call("read_file", {"path": "a.txt"}), Call("read_file", {"path": "none"})]),
        Reply(calls=[Call("patch", patch)]),
        Reply(text="Edited."),
    )
    tmux = chat(columns=40, rows=24)
    tmux.say("edit")
    tmux.see("Edited.")
    shown = without_empty_lines(tmux.ready().screen())
    assert any(line.startswith("✓ read_file") and line.endswith(("s",)) for line in shown)
    assert any(line.startswith("✗ read_file") for line in shown)
    assert "  -two" in shown
    assert "  +zwei" in shown


def test_a_server_that_is_down_is_a_message_with_a_hint_and_the_prompt_stays(
    chat: OpenChat, hermes: Hermes, server: ModelServer
) -> None:
    hermes.configure("agent:\n  api_max_retries: 0\n")
    server.say(Fault.refuse("unauthorized", "Your key is wrong \x1b[2J."), Reply(text="Better."))
    tmux = chat()
    tmux.say("hello")
    screen = tmux.see("✗")
    assert "Traceback" not in screen
    tmux.ready().say("again")
    tmux.see("Better.")
