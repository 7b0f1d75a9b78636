"""What a search printed, read again."""

import re
from collections.abc import Callable

import msgspec

from hermes_agent.tools.search.command import CONTEXT, MATCH, PAGE_BYTES, STATUS, Query

_LINE = re.compile(f"(.+?)([{MATCH}{CONTEXT}])(\\d+)\\2(.*)")


class Finding(msgspec.Struct, frozen=True):
    """One printed line: `line` 0 when a whole file was found; `text` its count, then."""

    path: str
    line: int = 0
    text: str = ""
    match: bool = True


class Page(msgspec.Struct, frozen=True):
    """The findings of one page, whether more follow, and the status of the search.

    `words` are what was printed beside findings: why a pattern is wrong.
    """

    findings: list[Finding]
    more: bool
    status: int | None
    words: str


def read(output: str, query: Query) -> Page:
    """The page that `output` holds."""
    full = len(output.encode()) >= PAGE_BYTES
    lines = output.split("\n")
    if full:
        lines.pop()  # cut somewhere in the middle
    status: int | None = None
    found: list[Finding] = []
    words: list[str] = []
    for line in lines:
        if line.startswith(STATUS):
            status = int(line[1:])
        elif finding := _finding(line, query):
            found.append(finding)
        elif line:
            words.append(line)
    if status not in (None, 0, 1) and not any(finding.line for finding in found):
        words += [finding.path for finding in found]
        found = []
    return _page(found, query.limit, full, status, "\n".join(words))


def _finding(line: str, query: Query) -> Finding | None:
    if query.target == "content" and query.mode == "content":
        parts = _LINE.fullmatch(line)
        if parts is None:
            return None
        path, mark, number, text = parts.groups()
        return Finding(_relative(path), int(number), text, match=mark == MATCH)
    if query.target == "content" and query.mode == "count":
        path, _, count = line.rpartition(":")
        return Finding(_relative(path), text=count) if count.isdecimal() else None
    return Finding(_relative(line)) if line else None


def _relative(path: str) -> str:
    return path.removeprefix("./")


def _page(found: list[Finding], limit: int, full: bool, status: int | None, words: str) -> Page:
    seen = 0
    for index, finding in enumerate(found):
        seen += finding.match
        if seen > limit:
            return Page(found[:index], True, status, words)
    return Page(found, full, status, words)


def grouped(findings: list[Finding], name: Callable[[str], str]) -> str:
    """Lines under the file they are in: `12:` for a match, `13-` for context."""
    lines: list[str] = []
    path, last = "", 0
    for finding in findings:
        if finding.path != path:
            lines += [*([""] if lines else []), name(finding.path)]
        elif finding.line > last + 1 and not all(f.match for f in findings):
            lines.append("--")
        path, last = finding.path, finding.line
        lines.append(f"{finding.line}{':' if finding.match else '-'}{finding.text}")
    return "\n".join(lines)
