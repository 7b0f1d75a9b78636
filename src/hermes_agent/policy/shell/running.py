"""What a simple command runs inside itself, and what it changes for those after it."""

import re
from posixpath import join, normpath
from typing import TYPE_CHECKING

from hermes_agent.policy.shell.heredocs import HEREDOC, HERESTRING, MARKS, READ_WRITE
from hermes_agent.policy.shell.limits import DEEPEST, EXCERPT, MOST_COMMANDS
from hermes_agent.policy.shell.model import Command, Redirect, Word
from hermes_agent.policy.shell.outputs import STDIN, known_output
from hermes_agent.policy.shell.wrapper_table import SHELLS
from hermes_agent.policy.shell.wrappers import Inner, inner_commands

if TYPE_CHECKING:
    from hermes_agent.policy.shell.reader import Reader

_BINDERS = frozenset(("read", "mapfile", "readarray", "printf", "getopts", "let", "unset", "eval",
                      "source", ".", "wait", "select"))  # fmt: skip


def add(
    reader: "Reader",
    argv: tuple[Word, ...],
    redirects: tuple[Redirect, ...],
    assignments: tuple[tuple[str, Word], ...],
    stdin: Word | None,
    source: str,
    *,
    bound: bool = False,
) -> None:
    """Record a command, then what it wraps, then what it changes for those after it."""
    if not argv and not redirects and not assignments:
        return
    if len(reader.commands) > MOST_COMMANDS:
        reader.doubt("depth", "It holds too many commands to be checked.", source)
        return
    stdin = stdin or reader.stdin
    inner = inner_commands(argv) if argv else []
    fed = _fed(reader, argv, redirects, stdin, inner)
    opaque = any(
        (i.text is not None and (i.text.dynamic or i.text.splits)) or (i.adds and _vague(i))
        for i in inner
    ) or (fed is not None and (fed.dynamic or fed.splits))
    here = len(reader.commands)
    reader.commands.append(
        Command(
            argv=argv,
            redirects=redirects,
            assignments=assignments,
            stdin=stdin,
            upstream=reader.upstream,
            via=reader.via,
            cwd=reader.cwd,
            opaque=opaque,
            source=_shown(source)[:EXCERPT],
        )
    )
    if argv:
        for each in inner:
            _unwrap(reader, each, argv, redirects, stdin, source)
        if fed is not None:
            _nested(reader, fed, argv, ())
        _effects(reader, reader.commands[here], bound)


def _fed(
    reader: "Reader",
    argv: tuple[Word, ...],
    redirects: tuple[Redirect, ...],
    stdin: Word | None,
    inner: list[Inner],
) -> Word | None:
    """The script that a shell without one in its arguments gets on its standard input."""
    name = argv[0].text.rpartition("/")[2].lower() if argv else ""
    reads = (
        (name in SHELLS and not inner and _no_script(argv))
        or (name in ("at", "batch") and "-f" not in [w.text for w in argv])
        or (name == "ssh" and not inner)
        or (name in ("source", ".") and len(argv) > 1 and argv[1].text in STDIN)
    )
    if not reads or any(r.operator == "<" for r in redirects):
        return None
    if stdin is not None:
        return stdin
    sources = [reader.commands[i] for i in reader.upstream if not reader.commands[i].via]
    if len(sources) == 1:
        return known_output(sources[0])
    return None


def _unwrap(
    reader: "Reader",
    inner: Inner,
    argv: tuple[Word, ...],
    redirects: tuple[Redirect, ...],
    stdin: Word | None,
    source: str,
) -> None:
    """Record what a wrapper runs."""
    if inner.text is not None:
        _nested(reader, inner.text, argv, reader.upstream, stdin)
        return
    words = inner.argv
    if inner.adds:
        words = tuple(_replaced(w, inner.placeholder) for w in words)
        words = (*words, Word("$…", dynamic=True, splits=True))
    with reader.saved("via", "cwd", "depth"):
        reader.depth += 1
        if reader.depth >= DEEPEST:
            reader.doubt("depth", "It is nested too deeply to be checked.", source)
            return
        reader.via = (*reader.via, _name(argv))
        if inner.cwd is not None:
            reader.cwd = None if inner.cwd.dynamic else _join(reader.cwd, inner.cwd.text)
        keep = tuple(r for r in redirects if r.operator == "<")
        add(reader, words, keep, inner.assignments, stdin, source)


def _nested(
    reader: "Reader",
    text: Word,
    argv: tuple[Word, ...],
    upstream: tuple[int, ...],
    stdin: Word | None = None,
) -> None:
    """Read shell text that a command runs. Dynamic parts in it stay expansions."""
    name = _name(argv)
    saved = ("via", "cwd", "variables", "certain", "upstream", "stdin")
    same_shell = name in ("eval", "source", ".")
    with reader.saved(*(saved[:1] + saved[4:] if same_shell else saved)):
        reader.via = (*reader.via, name)
        reader.upstream, reader.stdin = upstream, stdin
        if not same_shell:
            reader.variables = dict(reader.variables)
        if name == "ssh":
            reader.cwd = None
        reader.read(text.text)


def _effects(reader: "Reader", command: Command, bound: bool) -> None:
    """What a command changes for those after it: directory, variables, names."""
    name = command.argv[0].text
    if command.via and command.via[-1] not in ("builtin", "command", "eval", "source", "."):
        return
    if name in ("cd", "pushd"):
        _change_directory(reader, command)
    elif name == "popd":
        reader.cwd = None
        reader.variables["PWD"] = None
    elif name in _BINDERS and not bound:
        for word in command.argv[1:]:
            for found in re.findall(r"[A-Za-z_]\w*", word.text):
                reader.variables[found] = None
    elif (name == "alias" and len(command.argv) > 1) or (
        name in ("shopt", "set") and "expand_aliases" in command.source
    ):
        reader.doubt("alias", "It gives commands another meaning.", command.source)


def _change_directory(reader: "Reader", command: Command) -> None:
    """`cd`: assumed to succeed, which for the rules on relative paths is the worse case."""
    targets = [w for w in command.argv[1:] if not re.fullmatch(r"-[LPe@]+|--", w.text)]
    if not targets:
        reader.cwd = reader.home
    elif targets[0].dynamic or targets[0].pattern or targets[0].text == "-":
        reader.cwd = None
    else:
        reader.cwd = _join(reader.cwd, targets[0].text)
    if reader.cwd is not None and reader.certain:
        reader.variables["PWD"] = reader.cwd
    else:
        reader.variables["PWD"] = None


def _replaced(word: Word, placeholder: str) -> Word:
    """`{}` stands for what is found at run time."""
    if placeholder not in word.text:
        return word
    return Word(word.text, dynamic=True, splits=word.splits, pattern=word.pattern)


def _shown(source: str) -> str:
    if not MARKS.search(source):
        return source
    plain = re.sub(f"{HEREDOC}\\d+", "<…", source)
    return plain.replace(HERESTRING, "<<").replace("<" + READ_WRITE, "<>")


def _no_script(argv: tuple[Word, ...]) -> bool:
    operands = [w.text for w in argv[1:] if not w.text.startswith(("-", "+"))]
    flags = [w.text for w in argv[1:] if re.fullmatch(r"-[A-Za-z]+", w.text)]
    return not operands or any("s" in f for f in flags) or operands[0] in STDIN


def _vague(inner: Inner) -> bool:
    """Whether run time appends words to something that reads its words as a program."""
    if not inner.argv:
        return inner.text is not None
    name = _name(inner.argv)
    if name not in SHELLS:
        return name in ("eval", "env", "sudo", "command", "exec", "xargs", "nohup")
    return not any(re.fullmatch(r"-\w*c", w.text) for w in inner.argv[1:-1])


def _name(argv: tuple[Word, ...]) -> str:
    return argv[0].text.rpartition("/")[2].lower()


def _join(cwd: str | None, path: str) -> str | None:

    if path.startswith("/"):
        return "/" + normpath(path).lstrip("/")
    return normpath(join(cwd, path)) if cwd else None
