"""The rules against a corpus of commands, and against text that nobody would type."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hermes_agent.policy.rules import assess
from hermes_agent.policy.verdict import Place
from tests.unit.policy.corpus import cases

PLACE = Place(home="/home/ann", hermes_home="/home/ann/.hermes", cwd="/home/ann/work")
FRAGMENTS = (
    "rm", "-rf", "/", "~", "$(", ")", "`", "'", '"', "\\", "\n", "<<E", "E", "<<<", "<>", "|", "||",
    "&&", "&", ";", "{", "}", "{a,b}", "$x", "${x}", "${x:-", "$((", "))", "if", "then", "fi",
    "for",
    "do", "done", "case", "esac", "in", "x=1", "a=(", "[[", "]]", "*", "?", "[", "]", "#", "!", ">",
    ">>", "2>&1", "&>", "sudo", "bash -c", "eval", "xargs", "find . -exec", "\\;", "$'\\x72'",
    "ssh h",
    "env -S", "f()", "\t", "\u200b", "é", "\ue000", "\ue001", "0", "time", "coproc", "function",
)  # fmt: skip


@pytest.mark.parametrize(("action", "command"), cases())
def test_a_command_comes_to_the_action_that_the_corpus_names(action: str, command: str) -> None:
    verdict = assess(command, PLACE)
    assert (verdict.action, command) == (action, command), verdict.reasons


@given(st.text(max_size=400))
def test_no_text_makes_the_rules_fail(command: str) -> None:
    assert assess(command, PLACE).action in ("pass", "ask", "block")


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=40), st.sampled_from(("", " ")))
@settings(max_examples=400, deadline=None)
def test_no_mixture_of_shell_syntax_makes_the_rules_fail(parts: list[str], glue: str) -> None:
    assert assess(glue.join(parts), PLACE).action in ("pass", "ask", "block")


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=12))
@settings(deadline=None)
def test_what_stands_after_a_blocked_line_never_lets_it_pass(parts: list[str]) -> None:
    assert assess("rm -rf /\n" + " ".join(parts), PLACE).action != "pass"


@pytest.mark.parametrize(
    "piece",
    ["(", "$(", "a && ", "<<A ", "'\"", "`", "{", "if ", "a|", "\\", "${", "[[ ", "case ", "<<",
        "x=(",
     ";;", ">", "$((", '"$(', "((", "<(", "a()", "!", "{ a|", "x[", "$[", "a;", "a ", "f(){ ", "\n",
     "<<A\n", "eval ", "sudo ", "{a,b}", "é", "\u200b", "rm -rf x;"],
)  # fmt: skip
@pytest.mark.parametrize("size", [10_000, 130_000, 1_000_000])
@pytest.mark.timeout(60)
def test_long_commands_are_judged_in_bounded_time(piece: str, size: int) -> None:
    command = (piece * (size // len(piece) + 1))[:size]
    assess(command, PLACE)
