"""Commands that certainly change nothing."""

import pytest

from hermes_agent.policy.looking import only_looks


def looks(command: str) -> bool:
    return only_looks(command, cwd="/work", home="/home/me")


@pytest.mark.parametrize(
    "command",
    [
        "ls -la",
        "sleep 0.5",
        "cat a.txt | grep -n x | sort | uniq -c",
        "find . -name '*.py' -size +1k",
        "git log --oneline -5 && git status",
        "wc -l < notes.md 2>/dev/null",
        "echo $HOME",
        "rg -n 'a b' src; true",
        "grep -r x . || true",
    ],
)
def test_lookers_look(command: str) -> None:
    assert looks(command)


@pytest.mark.parametrize(
    "command",
    [
        "cd /tmp",
        "export A=1",
        "A=1",
        "echo hi > file",
        "cat a >> b",
        "find . -delete",
        "find . -exec rm {} +",
        "sort -o a a",
        "sort -oa a",
        "git commit -m x",
        "git -c core.pager=x log",
        "git diff --output=x",
        "date -s tomorrow",
        "hostname new-name",
        "uniq a b",
        "xxd -r a b",
        "sudo ls",
        "bash -c 'ls'",
        "ls $(touch x)",
        "cat <(touch x)",
        "ls; touch x",
        "xargs ls",
        "ls &&",
        "",
        "ls\u200b",
        "make",
        "python3 script.py",
    ],
)
def test_everything_else_does_not_count_as_looking(command: str) -> None:
    assert not looks(command)
