"""Which commands only look: they may run beside each other, whatever order they come in."""

from hermes_agent.policy.shell import Command, TooComplex, normalise, parse

_LOOKERS = frozenset(
    "[ basename cat cmp comm cut date df diff dirname du echo egrep expr false fgrep file fold "
    "free grep head hexdump hostname id jq ls md5sum nl nproc od paste pgrep printf ps pwd "
    "readlink realpath rev rg seq sha1sum sha256sum sleep sort stat strings tac tail test tr "
    "tree true type uname uniq uptime wc whereis which whoami xxd".split()
)
_GIT = frozenset(
    "blame cat-file describe diff grep log ls-files ls-tree rev-parse shortlog show status".split()
)
_FIND_ACTS = (
    "-exec",
    "-execdir",
    "-ok",
    "-okdir",
    "-delete",
    "-fprint",
    "-fprint0",
    "-fprintf",
    "-fls",
)
# Options that make a looker write, run something, or change the machine.
_WRITING_OPTIONS = {
    "sort": ("-o", "--output", "--compress-program"),
    "date": ("-s", "--set"),
    "hostname": ("-F", "--file", "-b"),
    "rg": ("--pre", "--hostname-bin"),
    "tree": ("-o", "--output"),
    "file": ("-C", "--compile"),
    "xxd": ("-r", "-revert"),
    "git": ("--output", "--ext-diff", "--open-files-in-pager", "-O", "-c", "--config-env"),
}
_ONE_OPERAND = frozenset(("hostname", "uniq", "xxd"))


def only_looks(command: str, *, cwd: str, home: str) -> bool:
    """Whether the command certainly changes nothing. False for whatever is not known."""
    seen = normalise(command)
    if seen.hidden:
        return False
    try:
        script = parse(seen.text, cwd=cwd, home=home, variables={})
    except TooComplex:
        return False
    if script.doubts or script.bombs or not script.commands:
        return False
    return all(_looks(each) for each in script.commands)


def _looks(command: Command) -> bool:
    if not command.argv or command.assignments or command.opaque or command.via:
        return False
    if any(r.writes and r.target.text != "/dev/null" for r in command.redirects):
        return False
    if command.argv[0].dynamic or any(word.process for word in command.argv):
        return False
    program, arguments = command.program, [word.text for word in command.argv[1:]]
    operands = [text for text in arguments if not text.startswith("-")]
    if program == "find":
        return not any(text.startswith(_FIND_ACTS) for text in arguments)
    if program == "git":
        return bool(operands) and arguments[0] in _GIT and _harmless(program, arguments)
    if program not in _LOOKERS or (program in _ONE_OPERAND and len(operands) > 1):
        return False
    return _harmless(program, arguments) and not (program == "hostname" and operands)


def _harmless(program: str, arguments: list[str]) -> bool:
    return not any(text.startswith(_WRITING_OPTIONS.get(program, ("\0",))) for text in arguments)
