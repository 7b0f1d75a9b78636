"""`.env`: what is written is read back, by us and by systemd's and dotenv's rules alike."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hermes_agent.config import dotenv
from hermes_agent.config.edit import edit_env_file
from hermes_agent.config.paths import Paths
from hermes_agent.config.repair import repair
from hermes_agent.domain.errors import ConfigError, UsageError


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=plain", "plain"),
        ("A = spaced out  ", "spaced out"),
        ("export A=exported", "exported"),
        ("A=", ""),
        ("A=''", ""),
        ("A='single $HOME \"x\"'", 'single $HOME "x"'),
        ('A="double \\"x\\" \\\\ end"', 'double "x" \\ end'),
        ('A="two\\nlines"', "two\nlines"),
        ('A="really\ntwo"', "really\ntwo"),
        ("A='really\ntwo'", "really\ntwo"),
        ("A=value # comment", "value"),
        ("A=value#no-comment", "value#no-comment"),
        ("A='a' # comment", "a"),
        ("A=${NOT} $EXPANDED", "${NOT} $EXPANDED"),
        ("A=it's", "it's"),
        ("A=b=c", "b=c"),
        ("\ufeffA=bom", "bom"),
        ("A=crlf\r", "crlf"),
        ("A='crlf\r\nwithin'\r", "crlf\nwithin"),
        ('A="a\\r\\nb"', "a\r\nb"),
        ("A=a\\ b\\", "a\\ b\\"),
        ("A=a ;b", "a ;b"),
        ("  export   A =  x", "x"),
        ("A=1\nA=2", "2"),
        ("A=ünï", "ünï"),
    ],
)
def test_a_line_means_what_dotenv_says(line: str, value: str) -> None:
    assert dotenv.values(line + "\n") == {"A": value}
    assert dotenv.values(line) == {"A": value}


def test_comments_blank_lines_and_bare_names_set_nothing() -> None:
    assert dotenv.values("# A=1\n\n  # B=2\nC\nexport D\n; E=3\n  ;\n") == {}


def test_a_bare_name_is_known_as_one() -> None:
    lines = dotenv.parse("C\nexport D\r\n# E\n\nF=1\n")
    assert [dotenv.bare_name(line) for line in lines] == ["C", "D", "", "", ""]


@pytest.mark.parametrize(
    "value", ["two\nlines", 'a\n"b"\n', "$x\n`y`\n\\", "\n", "plain", "it's\n"]
)
def test_line_breaks_stay_where_they_are_asked_for(value: str) -> None:
    line = dotenv.format_exactly("A", value)
    assert dotenv.values(line) == {"A": value}
    out = subprocess.run(
        ["sh", "-c", f'{line}\nprintf %s "$A"'], capture_output=True, check=True, env={}
    )
    assert out.stdout.decode() == value


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('A=1\nB="never closed\nC=3\n', "line 2: the quote"),
        ("A=1\nsk-secret value\n", "line 2: expected NAME=value"),
        ('A="x" sk-secret\n', "line 1: text after the closing quote"),
        ("A=1\nB=\0secret\n", "line 2: a NUL byte"),
    ],
)
def test_a_torn_file_is_an_error_that_names_the_line_and_shows_no_value(
    text: str, problem: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        dotenv.parse(text)
    assert problem in caught.value.message
    assert "secret" not in caught.value.message


VALUES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30)


@given(st.dictionaries(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True), VALUES))
def test_what_is_written_reads_back(variables: dict[str, str]) -> None:
    text = "".join(dotenv.format_line(name, value) for name, value in variables.items())
    flat = {name: "".join(value.splitlines()) for name, value in variables.items()}
    assert dotenv.values(text) == flat
    assert len(text.split("\n")) == len(variables) + 1


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_any_text_gives_variables_or_an_error_and_its_pieces_give_it_back(text: str) -> None:
    try:
        pieces = dotenv.parse(text)
    except ConfigError:
        return
    assert "".join(piece.text for piece in pieces) == text.removeprefix("\ufeff")


AWKWARD = [
    "a b",
    "it's",
    'say "x"',
    "a\\b",
    "$HOME",
    "`id`",
    "#x",
    "a;b&c|d",
    "~/x",
    "*?[a]",
    "a(b)",
    "!1",
    "<x>",
    "a #b",
    "x'\"$`\\y",
    " lead",
    "é€",
]


@pytest.mark.parametrize("value", AWKWARD)
def test_a_shell_reads_the_same_value(value: str) -> None:
    line = dotenv.format_line("A", value)
    out = subprocess.run(
        ["sh", "-c", f'{line}\nprintf %s "$A"'], capture_output=True, check=True, env={}
    )
    assert out.stdout.decode() == value


def test_setting_a_variable_keeps_the_other_lines(home: Path) -> None:
    home.mkdir()
    paths = Paths(home)
    paths.env_file.write_text("# mine\nexport A='1'  # one\n\nB=2\nA=3")
    edit_env_file(paths, {"A": "new value", "C": "x"}, remove=["B"])
    assert paths.env_file.read_text() == "# mine\nA='new value'\n\nC=x\n"
    assert paths.env_file.stat().st_mode & 0o777 == 0o600


def test_a_line_break_in_a_secret_is_taken_out(home: Path) -> None:
    edit_env_file(Paths(home), {"A_TOKEN": "abc\r\nHERMES_YOLO_MODE=1"})
    assert dotenv.read(home / ".env") == {"A_TOKEN": "abcHERMES_YOLO_MODE=1"}


@pytest.mark.parametrize(
    "name",
    [
        "HERMES_HOME",
        "HERMES_MANAGED",
        "HERMES_MANAGED_BY",
        "HERMES_DEV",
        "PATH",
        "LD_PRELOAD",
        "PYTHONPATH",
    ],
)
def test_names_that_decide_which_program_runs_cannot_be_set(home: Path, name: str) -> None:
    with pytest.raises(UsageError):
        edit_env_file(Paths(home), {name: "x"})
    assert not (home / ".env").exists()


def test_known_names_on_one_line_are_taken_apart() -> None:
    text = "OPENAI_API_KEY=sk-1ANTHROPIC_API_KEY=sk-2\nMINIMAX_CN_API_KEY=aMINIMAX_API_KEY=b\n"
    mended, done = repair(text)
    assert dotenv.values(mended) == {
        "OPENAI_API_KEY": "sk-1",
        "ANTHROPIC_API_KEY": "sk-2",
        "MINIMAX_CN_API_KEY": "a",
        "MINIMAX_API_KEY": "b",
    }
    assert len(done) == 2


def test_what_cannot_be_read_becomes_a_comment_and_the_rest_stays() -> None:
    mended, done = repair('A=1\nB="open\nC=3\nthis is no line\nD="four\nlines"\n')
    assert dotenv.values(mended) == {"A": "1", "C": "3", "D": "four\nlines"}
    assert '# not understood: B="open' in mended
    assert not any("open" in line for line in done)


def test_a_sound_file_is_not_mended() -> None:
    text = "# OPENAI_API_KEY=1ANTHROPIC_API_KEY=2\nVOICE_TOOLS_OPENAI_KEY=x\nA_API_KEY='a b'\n"
    assert repair(text) == (text, [])


@given(st.text(max_size=80))
def test_a_mended_file_can_always_be_read(text: str) -> None:
    dotenv.parse(repair(text)[0])
