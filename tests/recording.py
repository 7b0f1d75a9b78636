"""Records an interactive session as text: what tmux shows at two moments of a real run.

`python -m tests.recording FILE`. The chat, its tools and the approval are real; the model is the
scripted server, so that the recording can be made again anywhere.
"""

import re
import sys
import tempfile
from pathlib import Path

from tests.acceptance.hermes import Hermes
from tests.acceptance.terminal import Tmux
from tests.servers.model import ModelServer
from tests.servers.script import Call, Reply, Usage

TASK = "Find the largest file under this folder and write its name to answer.txt"
FIND = (
    r"mkdir .sizes && find . -type f -printf '%s %p\n' | sort -rn > .sizes/all; head -3 .sizes/all"
)
FILES = {"notes.md": 900, "photos/harbour.jpg": 48_213, "photos/market.jpg": 31_870}


def record() -> str:
    """The recording."""
    with tempfile.TemporaryDirectory() as base, ModelServer() as server:
        folder = Path(base, "work")
        for name, size in FILES.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"\0" * size)
        server.say(*_replies())
        hermes = Hermes(Path(base, "home"), folder, server.base_url)
        hermes.environ |= {"HOME": base}
        tmux = Tmux(hermes, columns=92, rows=36)
        try:
            tmux.ready().say(TASK)
            tmux.see("› [d] deny")
            asking = tmux.screen()
            tmux.answer("o")
            tmux.see("The largest file")
            done = tmux.ready().screen()
            tmux.type("C-d")
            tmux.left()
        finally:
            tmux.close()
        assert (folder / "answer.txt").read_text() == "photos/harbour.jpg\n"
        assert not (folder / ".sizes").exists()
    return f"{_tidy(asking, base)}\n{'─' * 92}\n{_tidy(done, base)}\n"


def _replies() -> list[Reply]:
    answer = {"path": "answer.txt", "content": "photos/harbour.jpg\n"}
    return [
        Reply(
            text="I list all files by size.",
            calls=[Call("terminal", {"command": FIND})],
            usage=Usage(1_790, 62),
        ),
        Reply(calls=[Call("write_file", answer)], usage=Usage(1_905, 38)),
        Reply(
            text="Now I remove my own list.",
            calls=[Call("terminal", {"command": "rm -r .sizes"})],
            usage=Usage(1_980, 31),
        ),
        Reply(
            text="The largest file is `photos/harbour.jpg` (48 kB); its name is in **answer.txt**.",
            usage=Usage(2_051, 29),
        ),
    ]


def _tidy(screen: str, base: str) -> str:
    """Without what differs from run to run."""
    screen = screen.replace(base, "~").rstrip()
    return re.sub(r"\d{8}_\d{6}_[0-9a-f]{6}", "20260101_120000_a1b2c3", screen)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(record(), "utf-8")
