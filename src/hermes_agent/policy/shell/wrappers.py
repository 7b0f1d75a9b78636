"""Programs that run another command given in their arguments, and where it stands there."""

import re

import msgspec

from hermes_agent.policy.shell.model import Word
from hermes_agent.policy.shell.wrapper_table import (
    RUNNER_VALUED,
    RUNNERS,
    SHELLS,
    WRAPPERS,
    Wrapper,
)


class Inner(msgspec.Struct, frozen=True):
    """What a wrapper would run: `argv`, or shell `text`. `adds` when it appends words that only
    run time knows, or puts them where
    `placeholder` stands. `cwd` when it changes the directory."""

    argv: tuple[Word, ...] = ()
    text: Word | None = None
    adds: bool = False
    placeholder: str = "{}"
    cwd: Word | None = None
    assignments: tuple[tuple[str, Word], ...] = ()


_SHELL_VALUED = ("-o", "+o", "-O", "+O", "--rcfile", "--init-file")


def inner_commands(argv: tuple[Word, ...]) -> list[Inner]:
    """What `argv` would run beside itself; empty when it is no wrapper."""
    name = argv[0].text.rpartition("/")[2].lower()
    if name in ("find", "fd", "fdfind"):
        return _find(argv)
    if name in SHELLS:
        return _shell(argv)
    if name == "eval":
        return [Inner(text=_joined(argv[1:]))] if len(argv) > 1 else []
    if name == "trap":
        body = [w for w in argv[1:] if w.text not in ("--", "-l", "-p")]
        return [Inner(text=body[0])] if len(body) > 1 and body[0].text not in ("-", "") else []
    if name == "alias":
        return [
            Inner(text=Word(w.text.partition("=")[2], w.dynamic)) for w in argv[1:] if "=" in w.text
        ]
    if name in ("tmux", "screen"):
        return _multiplexer(argv)
    if name in ("nix", "nix-shell"):
        return _nix(argv)
    if name in RUNNERS and len(argv) > 1 and argv[1].text in RUNNERS[name]:
        return _prefixed(argv[1:], Wrapper(RUNNER_VALUED, 1 if name == "direnv" else 0), name)
    wrapper = WRAPPERS.get(name)
    return _prefixed(argv, wrapper, name) if wrapper and name not in ("direnv", "mise") else []


def _prefixed(argv: tuple[Word, ...], wrapper: Wrapper, name: str) -> list[Inner]:
    found: list[Inner] = []
    cwd: Word | None = None
    assignments: list[tuple[str, Word]] = []
    skip = wrapper.skip
    at = 1
    while at < len(argv):
        word = argv[at]
        text = word.text
        if text == "--":
            at += 1
            break
        if wrapper.assigns and re.match(r"[A-Za-z_]\w*\+?=", text):
            key, _, value = text.partition("=")
            assignments.append((key.rstrip("+"), Word(value, word.dynamic)))
            at += 1
            continue
        if not text.startswith("-") or text == "-":
            if skip:
                skip -= 1
                at += 1
                continue
            break
        if text in wrapper.inert:
            return []
        option, equals, value = text.partition("=")
        valued = Word(value, word.dynamic) if equals else None
        if name == "env" and (text.startswith("-S") or option == "--split-string"):
            split = valued or (Word(text[2:], word.dynamic) if len(text) > 2 else None)
            rest = argv[at + 1 :] if split else argv[at + 2 :]
            split = split or (argv[at + 1] if at + 1 < len(argv) else Word(""))
            return [Inner(text=_joined((Word("env"), split, *rest)))]
        if option in wrapper.texts or option in wrapper.chdir:
            if valued is None and at + 1 < len(argv):
                at += 1
                valued = argv[at]
            if option in wrapper.texts:
                found.append(Inner(text=valued or Word("")))
            else:
                cwd = valued
        elif any(_glued(text, t) for t in wrapper.texts):
            found.append(Inner(text=Word(text[2:], word.dynamic)))
        elif option in wrapper.valued and not equals:
            at += 1
        elif name == "bwrap":
            at += _BWRAP.get(text, 0)
        at += 1
    if found:
        return found
    while skip and at < len(argv) and skip < 1 << 10:
        skip -= 1
        at += 1
    rest = argv[at:]
    if name in ("env", "time", "coproc"):
        while rest and re.match(r"[A-Za-z_]\w*=", rest[0].text):
            key, _, value = rest[0].text.partition("=")
            assignments.append((key, Word(value, rest[0].dynamic)))
            rest = rest[1:]
    if not rest:
        return []
    if wrapper.text:
        return [Inner(text=_joined(rest), adds=name == "parallel")]
    placeholder = _placeholder(argv) if name == "xargs" else "{}"
    return [
        Inner(
            rest,
            adds=name == "xargs",
            placeholder=placeholder,
            cwd=cwd,
            assignments=tuple(assignments),
        )
    ]


_BWRAP = {
    **dict.fromkeys(("--bind", "--ro-bind", "--dev-bind", "--symlink", "--setenv", "--bind-try",
                     "--ro-bind-try", "--dev-bind-try", "--chmod"), 2),
    **dict.fromkeys(("--dev", "--proc", "--tmpfs", "--dir", "--chdir", "--unsetenv", "--uid",
                     "--gid", "--hostname", "--file", "--seccomp", "--cap-add", "--cap-drop"), 1),
}  # fmt: skip


def _placeholder(argv: tuple[Word, ...]) -> str:
    for at, word in enumerate(argv[:-1]):
        if word.text == "-I":
            return argv[at + 1].text or "{}"
        if word.text.startswith("-I"):
            return word.text[2:]
    return "{}"


def _glued(text: str, option: str) -> bool:
    return len(option) == 2 and text.startswith(option) and len(text) > 2


def _joined(parts: tuple[Word, ...]) -> Word:
    return Word(" ".join(w.text for w in parts), any(w.dynamic or w.splits for w in parts))


def _shell(argv: tuple[Word, ...]) -> list[Inner]:
    at = 1
    wants = False
    while at < len(argv):
        text = argv[at].text
        if text in _SHELL_VALUED:
            at += 2
            continue
        if text == "--command" or text.startswith("--command="):
            if "=" in text:
                return [Inner(text=Word(text.partition("=")[2], argv[at].dynamic))]
            wants = True
        elif re.match(r"[-+][A-Za-z]", text) and not text.startswith("--"):
            wants = wants or (text[0] == "-" and "c" in text)
            if text[-1] in "oO" and len(text) > 2:
                at += 1
        elif not text.startswith("--"):
            break
        at += 1
    if not wants or at >= len(argv):
        return []
    return [Inner(text=argv[at])]


def _find(argv: tuple[Word, ...]) -> list[Inner]:
    found: list[Inner] = []
    at = 1
    fd = argv[0].text.rpartition("/")[2] != "find"
    execs = ("-x", "-X", "--exec", "--exec-batch") if fd else ("-exec", "-execdir", "-ok", "-okdir")
    while at < len(argv):
        if argv[at].text in execs:
            end = at + 1
            while end < len(argv) and argv[end].text not in (";", "+"):
                end += 1
            if end > at + 1:
                found.append(Inner(argv[at + 1 : end], adds=True))
            at = end
        at += 1
    return found


def _multiplexer(argv: tuple[Word, ...]) -> list[Inner]:
    name = argv[0].text.rpartition("/")[2]
    words = [w.text for w in argv]
    if name == "screen":
        at = next((i for i, t in enumerate(words) if "m" in t and t.startswith("-")), None)
        rest = argv[at + 1 :] if at is not None else ()
        while rest and rest[0].text.startswith("-"):
            rest = rest[2:] if rest[0].text in ("-S", "-t", "-h", "-c") else rest[1:]
        return [Inner(rest)] if rest else []
    verbs = ("new", "new-session", "neww", "new-window", "splitw", "split-window", "respawn-pane",
             "run-shell", "run", "if-shell", "popup", "display-popup")  # fmt: skip
    at = next((i for i, t in enumerate(words) if t in verbs), None)
    if at is None:
        # Keys typed into a shell are a command too.
        keys = next((i for i, t in enumerate(words) if t in ("send-keys", "send")), None)
        typed = argv[keys + 1 :] if keys is not None else ()
        while typed and typed[0].text.startswith("-"):
            typed = typed[2:] if typed[0].text == "-t" else typed[1:]
        named = ("Enter", "C-m", "Space", "KPEnter")
        return [Inner(text=w) for w in typed if w.text not in named]
    rest = argv[at + 1 :]
    while rest and rest[0].text.startswith("-"):
        flagged = rest[0].text in ("-s", "-n", "-t", "-c", "-x", "-y", "-F", "-e", "-l", "-p")
        rest = rest[2:] if flagged else rest[1:]
    return [Inner(text=_joined(rest))] if rest else []


def _nix(argv: tuple[Word, ...]) -> list[Inner]:
    for at, word in enumerate(argv[:-1]):
        if word.text in ("--run", "--command") and argv[0].text.endswith("nix-shell"):
            return [Inner(text=argv[at + 1])]
        if word.text in ("-c", "--command") and argv[0].text.endswith("nix"):
            return [Inner(argv[at + 1 :])]
    return []
