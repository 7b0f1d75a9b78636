"""The shell command of a search.

Whatever runs prints paths relative to the directory it runs in, one finding a line; matches and
context are told apart by their separators, and a last line gives the exit status. The page that
is wanted is cut out in the environment, so that a search over millions of lines stays small.
"""

import json
import re
import shlex
import sys
from pathlib import Path

import msgspec

MATCH, CONTEXT, STATUS = "\u241f", "\u241e", "\u241d"

# Below what an environment keeps of a command's output.
PAGE_BYTES = 45_000

NOT_FOUND = 127

# What walk.py is written for.
_OLDEST = (3, 9)

_PAGE = """
index($0, status) == 1 { print; next }
{
  hit = (mark == "" || index($0, mark) > 0)
  if (hit) n++
  if (n > last) exit
  if (n > skip || (n == skip && !hit)) print
}
"""


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """What to search. `root` is relative to the directory in which the command runs.

    With `target` "files", `glob` holds the names and `pattern` nothing.
    """

    pattern: str
    target: str
    root: str
    glob: str
    mode: str
    context: int
    limit: int
    offset: int


def ripgrep(query: Query) -> str:
    """The search with `rg`; its status is 127 where there is none."""
    words = ["rg", "--no-config", "--no-messages", "--color=never", "--sort=path"]
    words += ["--no-require-git"]
    if query.target == "files":
        words += ["--files", "--iglob", query.glob]
    else:
        words += _content(query)
    return _paged(shlex.join([*words, "--", f"./{query.root}"]), query)


def _content(query: Query) -> list[str]:
    words = ["--with-filename", "-e", query.pattern]
    if "\n" in query.pattern or "\\n" in query.pattern:
        words.append("--multiline")
    if query.glob:
        words += ["--iglob", query.glob]
    if query.mode == "files_only":
        return [*words, "--files-with-matches"]
    if query.mode == "count":
        return [*words, "--count"]
    words += ["--no-heading", "--line-number", "--max-columns=400", "--max-columns-preview"]
    words += [f"--field-match-separator={MATCH}", f"--field-context-separator={CONTEXT}"]
    return [*words, "--no-context-separator", f"--context={query.context}"]


def walker(query: Query) -> str:
    """The same search with Python alone: ours, where commands see it, else one over there. Its
    status is 127 where there is none."""
    script = (Path(__file__).parent / "walk.py").read_text()
    words = shlex.join(["-I", "-S", "-c", script, json.dumps(msgspec.to_builtins(query))])
    old = f"import sys; sys.exit(sys.version_info < {_OLDEST})"
    return _paged(
        f'(p={shlex.quote(sys.executable)}; [ -x "$p" ] || {{ p=$(command -v python3)'
        f' && "$p" -c {shlex.quote(old)}; }} || exit {NOT_FOUND}; exec "$p" {words})',
        query,
    )


def plain(query: Query) -> str:
    """The same search with what every system has, by extended regular expressions. Files that
    git ignores are not left out, and \\b finds everything."""
    from hermes_agent.tools.search.walk import translate

    glob = query.glob.removeprefix("!")
    glob = translate((glob if "/" in glob else f"**/{glob}").lstrip("/")).lower()
    variables = {
        "PATTERN": _extended(query.pattern),
        "GLOB": f"^{_extended(glob)}$" if query.glob else "",
        "NOT": "1" if query.glob.startswith("!") else "",
        "MODE": "files" if query.target == "files" else query.mode,
        "AROUND": str(query.context),
        "MATCH": MATCH,
        "NEAR": CONTEXT,
    }
    script = (Path(__file__).parent / "plain.awk").read_text()
    given = " ".join(f"{name}={shlex.quote(value)}" for name, value in variables.items())
    root = shlex.quote(f"./{query.root}")
    listed = f"find {root} -name '.?*' ! -path {root} -prune -o -type f -print 2>/dev/null"
    return _paged(f"{listed} | LC_ALL=C sort | {given} awk {shlex.quote(script)}", query)


_EXTENDED = {
    "\\d": "[0-9]", "\\w": "[[:alnum:]_]", "\\s": "[[:space:]]", "\\S": "[^[:space:]]",
    "\\D": "[^0-9]", "\\W": "[^[:alnum:]_]", "\\b": "", "(?:": "(",
}  # fmt: skip


def _extended(pattern: str) -> str:
    """As POSIX has it."""
    return re.sub(r"\\.|\(\?:", lambda hit: _EXTENDED.get(hit[0], hit[0]), pattern)


def _paged(search: str, query: Query) -> str:
    """One more than `limit` findings from `offset` on, and the status."""
    mark = MATCH if query.target == "content" and query.mode == "content" else ""
    last = query.offset + query.limit + 1
    values = {"status": STATUS, "mark": mark, "skip": query.offset, "last": last}
    given = [word for name, value in values.items() for word in ("-v", f"{name}={value}")]
    page = shlex.join(["awk", *given, _PAGE])
    return (
        f"{{ {search} 2>&1; echo {STATUS}$?; }} | (export LC_ALL=C;"
        f" tr -d '\\r' | {page} | head -c {PAGE_BYTES})"
    )
