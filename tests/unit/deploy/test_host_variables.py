"""Which of a caller's variables cross over to the service's user."""

import pytest

from hermes_agent.deploy.host.variables import admitted, allowed, carried
from hermes_agent.domain.errors import UsageError

GOOD = [
    ("TERM", "xterm-256color"),
    ("TERM", "screen.xterm-256color"),
    ("COLORTERM", "truecolor"),
    ("LANG", "de_DE.UTF-8@euro"),
    ("LC_ALL", "C"),
    ("LC_MESSAGES", "en_GB.UTF-8"),
    ("TZ", "Europe/Berlin"),
    ("TZ", ":America/Argentina/Buenos_Aires"),
    ("TZ", "CET-1CEST,M3.5.0,M10.5.0/3"),
    ("TZ", "<+03>-3"),
    ("NO_COLOR", "1"),
    ("FORCE_COLOR", ""),
    ("COLUMNS", "120"),
    ("LINES", "40"),
    ("_HERMES_COMPLETE", "zsh_complete"),
    ("COMP_WORDS", "hermes\nsessions show ../it"),
    ("COMP_CWORD", "2"),
]
BAD = [
    ("TERM", ""),
    ("TERM", "../../evil"),
    ("TERM", "a/b"),
    ("TERM", "x\ny"),
    ("TERM", "x\x1b[2J"),
    ("TERM", "%s"),
    ("TERM", "x" * 101),
    ("LANG", "../x"),
    ("LANG", "/tmp/x"),
    ("LC_ALL", "a..b"),
    ("LC_all", "C"),
    ("LC_", "C"),
    ("LCX", "C"),
    ("TZ", "/etc/shadow"),
    ("TZ", ":/etc/shadow"),
    ("TZ", "a/../../etc/shadow"),
    ("COLUMNS", "-1"),
    ("LINES", "10000000"),
    ("COMP_WORDS", "a\x00b"),
    ("_HERMES_COMPLETE", "bash_complete; x"),
    ("HERMES_HOME", "/x"),
    ("HERMES_YOLO_MODE", "1"),
    ("PATH", "/x"),
    ("HOME", "/x"),
    ("LD_PRELOAD", "x"),
    ("PYTHONPATH", "x"),
    ("OPENAI_API_KEY", "x"),
    ("TERM\n", "x"),
    ("", ""),
]


@pytest.mark.parametrize(("name", "value"), GOOD)
def test_terminal_language_and_time_cross_over(name: str, value: str) -> None:
    assert carried({name: value}) == admitted([f"{name}={value}"]) == {name: value}


@pytest.mark.parametrize(("name", "value"), BAD)
def test_everything_else_is_left_out_here_and_refused_there(name: str, value: str) -> None:
    assert not allowed(name, value)
    assert carried({name: value}) == {}
    with pytest.raises(UsageError, match="may not be handed over"):
        admitted([f"{name}={value}"])
