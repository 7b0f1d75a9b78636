"""Approvals and questions of the agent: no key that was meant for the line ever answers them."""

from pathlib import Path

from tests.acceptance.hermes import Hermes
from tests.acceptance.terminal import OpenChat, needs_tmux
from tests.servers.model import ModelServer
from tests.servers.script import Call, Reply

pytestmark = needs_tmux


def dangerous(hermes: Hermes, server: ModelServer, *names: str) -> list[Path]:
    """Folders that the model will ask to remove, a turn for each."""
    folders = [hermes.folder / name for name in names]
    for folder in folders:
        folder.mkdir()
        (folder / "file").touch()
        server.say(Reply(calls=[Call("terminal", {"command": f"rm -rf ./{folder.name}"})]))
        server.say(Reply(text=f"Turn {folder.name} over."))
    return folders


def test_letters_and_arrows_answer_and_what_is_remembered_is_not_asked_again(
    chat: OpenChat, hermes: Hermes, server: ModelServer
) -> None:
    first, second, third = dangerous(hermes, server, "one", "two", "three")
    tmux = chat()
    tmux.say("remove one")
    tmux.see("rm -rf ./one")
    tmux.see("› [d] deny")
    tmux.answer("d")
    tmux.see("⊘ terminal")
    tmux.see("Turn one over.")
    assert first.exists()
    tmux.ready().say("remove two")
    tmux.see("[o] once")
    tmux.answer("o")
    tmux.see("Turn two over.")
    assert not second.exists()
    tmux.ready().say("remove three")
    tmux.see("[s] for this session")
    tmux.answer("Down")
    tmux.see("› [o] once")
    tmux.answer("Down")
    tmux.see("› [s] for this session")
    tmux.answer("Enter")
    tmux.see("Turn three over.")
    assert not third.exists()
    (third_again,) = dangerous(hermes, server, "three")
    tmux.ready().say("and again")
    tmux.until(lambda s: s.count("Turn three over.") == 2)
    assert not third_again.exists()


def test_always_is_written_down(chat: OpenChat, hermes: Hermes, server: ModelServer) -> None:
    dangerous(hermes, server, "one")
    tmux = chat()
    tmux.say("remove one")
    tmux.see("[a] always")
    tmux.answer("a")
    tmux.see("Turn one over.")
    assert "command_allowlist" in (hermes.home / "config.yaml").read_text()


def test_enter_ctrl_c_and_silence_are_a_no(
    chat: OpenChat, hermes: Hermes, server: ModelServer
) -> None:
    hermes.configure("approvals:\n  timeout: 2\n")
    folders = dangerous(hermes, server, "one", "two", "three")
    tmux = chat()
    tmux.say("remove one")
    tmux.see("denied in")
    tmux.see("Turn one over.")
    tmux.ready().say("remove two")
    tmux.see("[d] deny")
    tmux.type("C-c")
    tmux.see("Turn two over.")
    tmux.ready().say("remove three")
    tmux.see("[d] deny")
    tmux.answer("Enter")
    tmux.see("Turn three over.")
    assert all(folder.exists() for folder in folders)
    assert "Interrupted" not in tmux.screen(scrollback=True)


def test_keys_typed_as_the_question_appears_go_into_the_line(
    chat: OpenChat, hermes: Hermes, server: ModelServer
) -> None:
    (folder,) = dangerous(hermes, server, "one")
    tmux = chat()
    tmux.say("remove one")
    # All at once, before anybody can have read the question.
    tmux.until(lambda s: "●" in s)
    for _ in range(20):
        tmux.type("o")
    tmux.see("ooooo")
    tmux.see("[d] deny")
    assert folder.exists()
    tmux.answer("Up")
    tmux.see("› [a] always")
    tmux.answer("Down")
    tmux.see("› [d] deny")
    tmux.answer("Enter")
    tmux.see("Turn one over.")
    assert folder.exists()
    assert "ooooo" in tmux.ready().screen()


def test_a_command_cannot_hide_what_it_does_from_the_person(
    chat: OpenChat, hermes: Hermes, server: ModelServer
) -> None:
    command = "rm -rf ./one # \x1b[2K\r\x1b[8m\u202eharmless" + "\nls" * 30 + "\nrm -rf ./two"
    server.say(Reply(calls=[Call("terminal", {"command": command})]), Reply(text="Over."))
    tmux = chat()
    tmux.say("go")
    screen = tmux.see("[d] deny")
    assert "rm -rf ./one" in screen
    assert "rm -rf ./two" in screen
    assert "more lines" in screen
    tmux.answer("d")
    tmux.see("Over.")


def test_a_question_is_answered_with_arrows_or_in_words(
    chat: OpenChat, server: ModelServer
) -> None:
    ask = Call("clarify", {"question": "Which colour?", "choices": ["red", "green"]})
    server.say(Reply(calls=[ask]), Reply(text="Good one."))
    server.say(Reply(calls=[ask]), Reply(text="Good two."))
    tmux = chat()
    tmux.say("paint")
    tmux.see("› red")
    tmux.answer("Down")
    tmux.see("› green")
    tmux.answer("Enter")
    tmux.see("Good one.")
    assert "green" in server.model_requests[1].json["messages"][-1]["content"]
    tmux.ready().say("paint again")
    tmux.see("or type an answer")
    tmux.type("a deep violet")
    tmux.see("a deep violet")
    tmux.answer("Enter")
    tmux.see("Good two.")
    assert "a deep violet" in server.model_requests[3].json["messages"][-1]["content"]
