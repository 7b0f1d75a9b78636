"""Search in files, or for files, where the session's commands run."""

import posixpath
from typing import cast

import msgspec

from hermes_agent.domain.errors import DeniedError
from hermes_agent.domain.execution import CommandResult
from hermes_agent.tools.contract import Arguments, Outcome, ToolContext
from hermes_agent.tools.files import existing
from hermes_agent.tools.place import shown
from hermes_agent.tools.search import command, findings
from hermes_agent.tools.search.command import Query
from hermes_agent.tools.search.findings import Finding, Page

_LIMIT = 50
_TIMEOUT = 60.0
_WARN_AT, _BLOCK_AT = 3, 4


def summary(arguments: Arguments) -> str:
    """What is searched, and where."""
    where = arguments.get("path")
    what = "find" if arguments.get("target") == "files" else "search"
    return f"{what} {arguments['pattern']}" + (f" in {where}" if where else "")


async def run(arguments: Arguments, context: ToolContext) -> Outcome:
    """One page of findings."""
    root = await existing(str(arguments.get("path") or "."), context)
    if root.kind == "other":
        return Outcome({"error": f"{root.path} is neither a file nor a directory."}, ok=False)
    folder, name = (root.path, "") if root.kind == "directory" else posixpath.split(root.path)
    query = _query(arguments, name)
    looks = context.session.looks.again(f"search_files {folder} {query}")
    if looks >= _BLOCK_AT:
        return Outcome(
            {
                "error": f"Blocked: this very search was made {looks - 1} times in a row. "
                "Use what it found, or search for something else."
            },
            ok=False,
        )
    ended = await _search(query, folder, context)
    page = findings.read(ended.output, query)
    if page.status not in (None, 0, 1) and not page.findings:
        return Outcome({"error": f"The search failed: {page.words}"}, ok=False)
    result = _result(query, page, folder, context)
    if ended.timed_out:
        result["warning"] = f"Stopped after {_TIMEOUT:.0f} s; name a smaller path."
    elif looks >= _WARN_AT:
        result["warning"] = (
            f"This is the same search for the {looks}rd time in a row; the next is blocked."
        )
    return Outcome(result)


def _query(arguments: Arguments, root: str) -> Query:
    pattern, glob = str(arguments["pattern"]), str(arguments.get("file_glob") or "")
    target = str(arguments.get("target") or "content")
    if target == "files":
        # A bare word is meant as a part of the name.
        glob = pattern if set(pattern) & set("*?[{/") else f"*{pattern}*"
        pattern = ""
    return Query(
        pattern=pattern,
        target=target,
        root=root,
        glob=glob,
        mode=str(arguments.get("output_mode") or "content"),
        context=cast("int", arguments.get("context", 0)),
        limit=cast("int", arguments.get("limit", _LIMIT)),
        offset=cast("int", arguments.get("offset", 0)),
    )


async def _search(query: Query, folder: str, context: ToolContext) -> CommandResult:
    run = context.environment.run
    ended = await run(command.ripgrep(query), workdir=folder, timeout=_TIMEOUT)
    for fallback in (command.walker, command.plain):
        if findings.read(ended.output, query).status != command.NOT_FOUND:
            break
        query = msgspec.structs.replace(query, root=query.root or ".")
        ended = await run(fallback(query), workdir=folder, timeout=_TIMEOUT)
    return ended


def _result(query: Query, page: Page, folder: str, context: ToolContext) -> dict[str, object]:
    allowed, hidden = _allowed(page.findings, folder, context)

    def name(path: str) -> str:
        return shown(posixpath.join(folder, path), context.environment)

    count = sum(finding.match for finding in allowed)
    result: dict[str, object] = {"count": count}
    if query.target == "content" and query.mode == "content":
        result["matches"] = findings.grouped(allowed, name)
    elif query.target == "content" and query.mode == "count":
        result["counts"] = {name(finding.path): int(finding.text) for finding in allowed}
    else:
        result["files"] = [name(finding.path) for finding in allowed]
    if hidden:
        result["withheld"] = f"{hidden} findings lie in files that may not be read."
    if page.more:
        result["truncated"] = True
        following = query.offset + sum(finding.match for finding in page.findings)
        result["hint"] = f"More follow: offset={following}; or narrow the search."
    elif not count:
        result["hint"] = "Nothing was found. Hidden and ignored files were left out."
    return result


def _allowed(found: list[Finding], folder: str, context: ToolContext) -> tuple[list[Finding], int]:
    """Without what lies in files that policy hides, and how much that was."""
    verdicts: dict[str, bool] = {}
    for finding in found:
        if finding.path not in verdicts:
            try:
                context.guard.check_read(posixpath.join(folder, finding.path))
                verdicts[finding.path] = True
            except DeniedError:
                verdicts[finding.path] = False
    allowed = [finding for finding in found if verdicts[finding.path]]
    return allowed, sum(f.match for f in found) - sum(f.match for f in allowed)
