"""Code that is written in the command itself, comes from elsewhere, or is known only later."""

import re

from hermes_agent.policy.rules.finding import Finding, Rule, View, ask, key
from hermes_agent.policy.shell import Command
from hermes_agent.policy.shell.outputs import known_output
from hermes_agent.policy.shell.wrapper_table import SHELLS

_INLINE = "It runs code that is written in the command itself and cannot be checked."
_OPTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "python": ("c", ()),
    "pypy": ("c", ()),
    "node": ("ep", ("--eval", "--print")),
    "nodejs": ("ep", ("--eval", "--print")),
    "bun": ("ep", ("--eval", "--print")),
    "perl": ("eE", ()),
    "ruby": ("e", ()),
    "php": ("r", ("--run",)),
    "lua": ("e", ()),
    "luajit": ("e", ()),
    "rscript": ("e", ()),
    "r": ("e", ()),
    "osascript": ("e", ()),
    "julia": ("eE", ("--eval", "--print")),
    "elixir": ("e", ("--eval",)),
    "guile": ("c", ()),
    "tclsh": ("", ()),
    "pwsh": ("", ("-c", "-Command", "-EncodedCommand", "-enc")),
    "ipython": ("c", ()),
    "scala": ("e", ()),
    "groovy": ("e", ()),
    "ghc": ("e", ()),
    "emacs": ("", ("--eval", "-eval", "--execute")),
}
_FETCHERS = frozenset(("curl", "wget", "fetch", "aria2c", "http", "https", "xh", "lynx", "w3m",
                       "nc", "ncat", "socat", "scp", "ftp", "gh", "aws", "gsutil",
                       "ssh"))  # fmt: skip
_DECODERS = frozenset(("base64", "base32", "xxd", "openssl", "uudecode", "gzip", "gunzip", "zcat",
                       "rev", "tr", "od", "hexdump", "gpg", "xz", "bunzip2", "basenc"))  # fmt: skip
_STDIN = ("-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")
_VALUED = ("-W", "-X", "-I", "-M", "-r", "--require", "-m")


def _language(program: str) -> str:
    bare = re.sub(r"[\d.]+\Z", "", program)
    return bare if bare in _OPTIONS else program


def inline(view: View) -> Finding | None:
    """`python -c`, `node -e`, …, and the same code on standard input."""
    language = _language(view.program)
    letters, names = _OPTIONS[language]
    texts = view.texts()
    skip = False
    for at, text in enumerate(texts):
        if skip:
            skip = False
            continue
        if text in names or any(text.startswith(n + "=") for n in names if n[:2] == "--"):
            return ask(key("inline-code", language), _INLINE)
        if re.match(r"-[A-Za-z]", text):
            if letters and re.match(rf"-[A-Za-z0-9]*[{letters}]", text) and text != "-m":
                harmless = language in ("perl", "ruby") and _filters(texts)
                return None if harmless else ask(key("inline-code", language), _INLINE)
            skip = text in _VALUED
            if text == "-m":
                return None
        elif text not in _STDIN and not text.startswith("-"):
            return None
        elif text in _STDIN and at >= 0:
            break
    if any(t in ("--version", "-V", "-v", "--help", "-h") for t in texts):
        return None
    if view.command.stdin is not None:
        return ask(key("inline-code", language), _INLINE)
    return _piped(view, language)


def _filters(texts: list[str]) -> bool:
    """`perl -pe 's/…/…/'` without anything that runs or writes is a better `sed`."""
    code = " ".join(texts)
    return any(re.match(r"-[lan0]*[pn]", t) for t in texts) and not re.search(
        r"system|exec|`|unlink|open|qx|eval|require|rmdir|rename|kill|socket|IO|File|/\w*e\w*(?:\s|;|\Z)"
        r"|syscall|\bdo\b|-i",
        code,
    )


def _upstream(view: View) -> list[Command]:
    return [view.script.commands[i] for i in view.command.upstream]


def _piped(view: View, name: str) -> Finding | None:
    sources = [c for c in _upstream(view) if c.argv]
    if not sources:
        return None
    if any(c.program in _FETCHERS for c in sources):
        return ask(
            key("remote-code", name),
            "It runs code that comes straight from the network.",
            exactly=True,
        )
    if any(c.program in _DECODERS for c in sources):
        return ask(key("decoded-code", name), "It runs code that is hidden by an encoding.",
                   exactly=True)  # fmt: skip
    return ask(key("piped-code", name), "It runs whatever is piped into it.", exactly=True)


def shell(view: View) -> Finding | None:
    """`sh -c` with text known only later, `… | sh`, `sh <(…)`."""
    command = view.command
    operands = view.operands()
    texts = view.texts()
    if command.opaque:
        return ask(
            "dynamic-shell", "It runs shell text that is known only at run time.", exactly=True
        )
    # find, xargs and ssh have their operands; only programs that run standard input go on.
    if view.program not in SHELLS and view.program not in ("source", ".", "at", "batch"):
        return None
    if any(w.process for w in view.arguments):
        fed = [view.script.commands[i] for w in view.arguments for i in w.feeds]
        remote = any(c.program in _FETCHERS for c in fed)
        sentence = "It runs the output of another command" + (
            ", from the network." if remote else "."
        )
        return ask("remote-code" if remote else "substituted-code", sentence, exactly=True)
    if any(re.match(r"-[a-z]*c", t) for t in texts):
        return None
    if view.program in ("source", "."):
        if (
            operands
            and operands[0].dynamic
            and not operands[0].text.startswith(("$HOME", "${HOME"))
        ):
            return ask(
                "dynamic-source", "The file it runs is known only at run time.", exactly=True
            )
        if not operands or operands[0].text not in _STDIN:
            return None
    takes_stdin = not operands or operands[0].text in _STDIN or view.has("s")
    if takes_stdin and command.stdin is None:
        sources = _upstream(view)
        printed = known_output(sources[0]) if len(sources) == 1 and not sources[0].via else None
        if printed is not None and not printed.dynamic:
            # What is printed has been read as a command of its own.
            return None
        return _piped(view, "shell")
    return None


def evaluated(view: View) -> Finding | None:
    """`eval` of dynamic text."""
    if view.command.opaque:
        return ask(
            "dynamic-eval", "It evaluates text that is known only at run time.", exactly=True
        )
    return None


def filters(view: View) -> Finding | None:
    """`awk` and `sed` can run commands too."""
    program = " ".join(view.texts())
    if view.program in ("sed", "gsed"):
        if re.search(
            r"(?:^|[\s;{}/\d$])e\s+\S|/[gip0-9]*e[gip0-9]*(?:\s|;|\Z)|\be\Z", program
        ) and any(
            re.fullmatch(
                r"(?:\d+|\$|/[^/]*/)?\s*e(?:\s.*)?|s(.).*\1.*\1[gimp0-9]*e[gimp0-9]*", t, re.S
            )
            for t in view.texts()
        ):
            return ask("inline-code:sed", _INLINE)
        return None
    if re.search(r"\bsystem\s*\(|\|\s*getline|print[^|;}]*\|\s*\"|\|&|@load", program):
        return ask("inline-code:awk", _INLINE)
    return None


def dynamic_name(view: View) -> Finding | None:
    """A command whose name is known only at run time, or only looks like what it seems."""
    name = view.command.argv[0]
    if name.dynamic or name.splits:
        if name.text == "$…":
            return None
        return ask(
            "dynamic-command", "Which program it runs is known only at run time.", exactly=True
        )
    if name.pattern is not None and name.text not in ("[",) and re.search(r"[*?]|\[.", name.text):
        return ask("dynamic-command", "Which program it runs depends on file names.", exactly=True)
    if not name.text.isascii():
        return ask(
            "look-alike", "The program's name holds letters that only look familiar.", exactly=True
        )
    return None


def editor(view: View) -> Finding | None:
    """`vim -c '!…'`, `git -c core.pager=…`: programs that run commands from their options."""
    texts = view.texts()
    if any(re.match(r":?\s*(?:!|%!|call system|silent !|lua |py)", t) for t in texts):
        return ask(key("inline-code", view.program), _INLINE)
    return None


_SHELL_RULES: tuple[Rule, ...] = (shell,)
RULES: dict[str, tuple[Rule, ...]] = {
    **dict.fromkeys(SHELLS, _SHELL_RULES),
    **dict.fromkeys(("source", ".", "at", "batch", "xargs", "find", "fd", "ssh", "watch", "su",
                     "script", "trap", "parallel", "env", "flock", "tmux", "screen",
                     "nix", "nix-shell", "sudo", "runuser"), _SHELL_RULES),
    "eval": (evaluated,),
    **dict.fromkeys(_OPTIONS, (inline,)),
    **{f"python{v}": (inline,) for v in ("2", "2.7", "3", *(f"3.{n}" for n in range(8, 20)))},
    **{f"{name}": (inline,) for name in ("pypy3", "perl5", "lua5.1", "lua5.3", "lua5.4", "php8")},
    **dict.fromkeys(("awk", "gawk", "mawk", "nawk", "sed", "gsed"), (filters,)),
    **dict.fromkeys(("vim", "vi", "nvim", "ex", "ed", "gdb", "lldb", "less", "man"), (editor,)),
}  # fmt: skip
