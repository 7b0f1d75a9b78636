"""A conversation outlives its terminal: hang-ups, signals, a suspended program, a dumb terminal."""

import os
import signal

from tests.acceptance.hermes import Hermes
from tests.acceptance.terminal import OpenChat, needs_tmux
from tests.acceptance.test_interruption import assert_whole, pid_in, running, wait_for
from tests.servers.model import ModelServer
from tests.servers.script import Call, Reply

pytestmark = needs_tmux
SLOW = Reply(calls=[Call("terminal", {"command": "echo half; echo $$ > shell.pid; sleep 1000"})])


def test_a_closed_window_in_the_middle_of_a_turn_leaves_a_whole_history(
    chat: OpenChat, hermes: Hermes, server: ModelServer
) -> None:
    server.say(SLOW)
    tmux = chat()
    tmux.say("run it")
    tmux.see("half")
    chat_pid, child = tmux.pid, pid_in(hermes.folder / "shell.pid")
    tmux.kill_pane()
    wait_for(lambda: not running(chat_pid))
    wait_for(lambda: not running(child))
    messages = hermes.messages()
    assert_whole(messages)
    assert "half" in str(messages[-1]["content"])


def test_sigterm_in_the_middle_of_a_turn_leaves_a_whole_history_and_the_terminal_in_order(
    chat: OpenChat, hermes: Hermes, server: ModelServer
) -> None:
    server.say(SLOW)
    tmux = chat()
    tmux.say("run it")
    tmux.see("half")
    os.kill(tmux.pid, signal.SIGTERM)
    assert tmux.left() == 128 + signal.SIGTERM
    assert "Traceback" not in tmux.see("hermes --resume")
    assert_whole(hermes.messages())


def test_suspended_and_brought_back_it_goes_on(
    chat: OpenChat, hermes: Hermes, server: ModelServer
) -> None:
    server.say(Reply(text="Still here."))
    tmux = chat(shell=True)
    tmux.type("-l", "unsent")
    tmux.see("unsent")
    tmux.type("C-z")
    tmux.see("Stopped")
    tmux.type("-l", "fg")
    tmux.type("Enter")
    tmux.until(lambda s: s.rstrip().split("\n")[-2].startswith("❯ unsent"))
    tmux.type("Enter")
    tmux.see("Still here.")


def test_a_dumb_terminal_gets_a_chat_line_by_line(
    chat: OpenChat, hermes: Hermes, server: ModelServer
) -> None:
    (hermes.folder / "gone").mkdir()
    server.say(
        Reply(text="Let me.", calls=[Call("terminal", {"command": "rm -rf ./gone"})]),
        Reply(text="It is \x1b[2Jgone."),
    )
    tmux = chat(mark=">", TERM="dumb")
    tmux.type("-l", "remove it")
    tmux.type("Enter")
    tmux.see("[o] once")
    tmux.answer("o")
    tmux.type("Enter")
    tmux.see("It is gone.")
    assert not (hermes.folder / "gone").exists()
    assert "\x1b[" not in tmux.screen(colours=True, scrollback=True)
    tmux.type("-l", "/quit")
    tmux.type("Enter")
    assert tmux.left() == 0


def test_no_color_means_none(chat: OpenChat, server: ModelServer) -> None:
    server.say(Reply(text="# Title\n\n**bold** `code`\n", calls=[Call("read_file", {"path": "x"})]))
    server.say(Reply(text="Over."))
    tmux = chat(NO_COLOR="1")
    tmux.say("hello")
    tmux.see("Over.")
    screen = tmux.ready().screen(colours=True)
    assert not {code for n in range(31, 38) if (code := f"\x1b[{n}m") in screen}


def test_without_a_terminal_there_must_be_a_question(hermes: Hermes) -> None:
    ran = hermes.run()
    assert ran.status == 2
    assert "hermes -q" in ran.err


def test_a_resumed_session_shows_what_was_said(
    chat: OpenChat, hermes: Hermes, server: ModelServer
) -> None:
    server.say(Reply(text="An answer \x1b]0;owned\x07 of before."))
    hermes.run("-q", "a question of before")
    tmux = chat("-c")
    screen = tmux.see("An answer  of before.")
    assert "❯ a question of before" in screen
