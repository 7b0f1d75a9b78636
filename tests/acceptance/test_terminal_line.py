"""The input line: keys, history, completion, pastes; and leaving it."""

from tests.acceptance.hermes import Hermes
from tests.acceptance.terminal import OpenChat, needs_tmux
from tests.servers.model import ModelServer
from tests.servers.script import Reply

pytestmark = needs_tmux


def test_a_message_of_several_lines_is_sent_whole_and_comes_back_whole(
    chat: OpenChat, server: ModelServer
) -> None:
    server.always(Reply(text="Heard."))
    tmux = chat()
    tmux.type("-l", "one")
    tmux.type("M-Enter")
    tmux.type("-l", "two 中文")
    tmux.type("C-j")
    tmux.type("-l", "three")
    tmux.see("three")
    tmux.type("Enter")
    tmux.see("Heard.")
    assert server.model_requests[0].json["messages"][-1]["content"] == "one\ntwo 中文\nthree"
    tmux.ready().type("Up")
    tmux.until(lambda s: s.count("two 中文") == 2)
    tmux.type("Enter")
    server.wait_for_model_requests(2)
    assert server.model_requests[1].json["messages"][-1]["content"] == "one\ntwo 中文\nthree"
    tmux.ready().type("C-d")
    assert tmux.left() == 0
    again = chat("-c")
    again.type("Up")
    again.until(lambda s: s.rstrip().count("three") >= 3)


def test_tab_completes_commands_paths_and_references(
    chat: OpenChat, hermes: Hermes, server: ModelServer
) -> None:
    (hermes.folder / "notes of mine.txt").write_text("the secret is 42")
    (hermes.folder / "sub").mkdir()
    (hermes.folder / "sub" / "deep.txt").touch()
    server.say(Reply(text="Read."))
    tmux = chat()
    tmux.type("-l", "/pers")
    tmux.see("Show or change the manner.")
    tmux.type("Tab", "Space")
    tmux.see("/personality")
    tmux.see("kawaii")
    tmux.type("C-c")
    tmux.see_not("/personality")
    tmux.type("-l", "see ./sub/d")
    tmux.type("Tab")
    tmux.see("./sub/deep.txt")
    tmux.type("C-c")
    tmux.see_not("deep.txt")
    tmux.type("-l", "what is in @file:no")
    tmux.see("notes of mine.txt")
    tmux.type("Tab")
    tmux.see('@file:"notes of mine.txt"')
    tmux.type("Enter", "Enter")
    tmux.see("Read.")
    assert "the secret is 42" in server.model_requests[0].json["messages"][-1]["content"]


def test_a_large_paste_is_a_reference_and_reaches_the_model_whole(
    chat: OpenChat, hermes: Hermes, server: ModelServer
) -> None:
    server.say(Reply(text="Read it."), Reply(text="Small."))
    text = "\n".join(f"pasted {n} \x1b[2J" for n in range(12))
    tmux = chat()
    tmux.type("-l", "look: ")
    tmux.paste(text)
    tmux.see(": 12 lines]")
    tmux.type("Enter")
    tmux.see("Read it.")
    said = server.model_requests[0].json["messages"][-1]["content"]
    assert said.startswith("look: pasted 0")
    assert said.endswith(("pasted 11 \x1b[2J", "pasted 11 [2J"))
    (kept,) = (hermes.home / "pastes").iterdir()
    assert kept.stat().st_mode & 0o077 == 0
    assert "❯ pasted 11" in tmux.ready().screen()
    tmux.paste("two\nlines")
    tmux.see("lines")
    assert not tmux.screen().count("[pasted")
    tmux.type("Enter")
    tmux.see("Small.")


def test_ctrl_c_clears_the_line_then_leaves_and_ctrl_d_leaves(
    chat: OpenChat, server: ModelServer
) -> None:
    tmux = chat()
    tmux.type("-l", "half a thought")
    tmux.see("half a thought")
    tmux.type("C-d")
    tmux.type("C-c")
    tmux.see_not("half a thought")
    tmux.type("C-c")
    assert tmux.left() == 0
    assert "--resume" not in tmux.see("LEFT"), "nothing was said, nothing is there to go on with"
    other = chat()
    other.type("C-d")
    assert other.left() == 0


def test_the_line_stays_whole_when_the_window_changes(chat: OpenChat) -> None:
    tmux = chat(columns=90, rows=24)
    tmux.type("-l", "a line that fits")
    tmux.see("a line that fits")
    for columns, rows in ((40, 16), (20, 8), (100, 30)):
        tmux.resize(columns, rows)
        tmux.until(lambda s: s.count("❯ a line that fits") == 1 and s.count("scripted") >= 1)
