"""What commands print or read, where that is plain to see."""

import re

from hermes_agent.policy.shell import words as make
from hermes_agent.policy.shell.model import Command, Word

STDIN = frozenset(("/dev/stdin", "/dev/fd/0", "/proc/self/fd/0", "-"))


def known_output(command: Command) -> Word | None:
    """What `echo`, `printf`, `pwd` or `which` print, where that is plain to see."""
    argv = command.argv
    if not argv or command.redirects:
        return None
    name, rest = argv[0].text, argv[1:]
    if name == "cat" and not rest:
        return command.stdin
    dynamic = any(w.dynamic or w.splits or w.pattern for w in rest)
    if name == "echo":
        while rest and re.fullmatch(r"-[neE]+", rest[0].text):
            dynamic = dynamic or "e" in rest[0].text
            rest = rest[1:]
        return Word(" ".join(w.text for w in rest), dynamic)
    if name == "printf" and rest and rest[0].text != "-v":
        form = rest[0].text
        if "%" not in form:
            return Word(make.ansi_c(form), dynamic)
        if form in ("%s", "%s\\n", "%b", "%b\\n"):
            return Word("\n".join(make.ansi_c(w.text) if "b" in form else w.text for w in rest[1:]),
                        dynamic)  # fmt: skip
        return Word(" ".join(w.text for w in rest), dynamic=True)
    if name == "pwd" and command.cwd:
        return Word(command.cwd)
    lookup = name in ("which", "type") or (name == "command" and rest and rest[0].text == "-v")
    if lookup and rest and not dynamic:
        return Word(rest[-1].text)
    return None
