"""What stands in where ripgrep is missing. Runs by itself in the environment; only needs Python.

`python walk.py '{"root": ".", …}'` with the fields of `Query` prints what `rg` would print:
no hidden files, nothing that .gitignore or .ignore names, no binary files, sorted by path.
"""
# ruff: noqa: T201, PTH112, PTH123, PTH202  it prints on purpose, and strings walk a tree faster

import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterator

MATCH, CONTEXT = "\u241f", "\u241e"
COLUMNS = 400
LARGEST = 50_000_000

Rule = tuple[re.Pattern[str], bool, bool]  # which paths, whether ignored, directories only


def main(query: dict[str, object]) -> int:
    """Print the findings; 0 when there are any, 1 when not, 2 for a wrong pattern."""
    pattern, glob = str(query["pattern"]), str(query["glob"])
    chosen = glob_filter(glob)
    if query["target"] == "files":
        found = False
        for path in walk(str(query["root"])):
            if chosen(path):
                found = True
                print(path)
        return 0 if found else 1
    try:
        regex = re.compile(pattern, re.MULTILINE)
    except re.error as error:
        print(f"regex parse error: {error}")
        return 2
    found = False
    for path in walk(str(query["root"])):
        if chosen(path) and search(path, regex, str(query["mode"]), int(str(query["context"]))):
            found = True
    return 0 if found else 1


def search(path: str, regex: re.Pattern[str], mode: str, around: int) -> bool:
    """Print what one file holds; whether it holds anything."""
    try:
        if os.path.getsize(path) > LARGEST:
            return False
        with open(path, "rb") as file:
            data = file.read()
    except OSError:
        return False
    if b"\0" in data[:8192]:
        return False
    lines = data.decode("utf-8", "replace").split("\n")
    if lines[-1] == "":
        lines.pop()
    hits = [number for number, line in enumerate(lines) if regex.search(line.rstrip("\r"))]
    if not hits:
        return False
    if mode == "files_only":
        print(path)
    elif mode == "count":
        print(f"{path}:{len(hits)}")
    else:
        show(path, lines, hits, around)
    return True


def show(path: str, lines: list[str], hits: list[int], around: int) -> None:
    matching = set(hits)
    near = {n for hit in hits for n in range(hit - around, hit + around + 1)}
    for number in sorted(n for n in near if 0 <= n < len(lines)):
        mark = MATCH if number in matching else CONTEXT
        text = lines[number]
        cut = f"{text[:COLUMNS]} [...]" if len(text) > COLUMNS else text
        print(f"{path}{mark}{number + 1}{mark}{cut}")


def walk(root: str) -> Iterator[str]:
    """The files below `root` (or `root` itself), sorted; links to directories are not followed."""
    if not os.path.isdir(root):
        yield root
        return
    yield from below("" if root == "." else f"{root}/", [])


def below(prefix: str, outer: list[tuple[str, list[Rule]]]) -> Iterator[str]:
    try:
        entries = sorted(os.scandir(prefix or "."), key=lambda entry: entry.name)
    except OSError:
        return
    levels = [*outer, (prefix, rules(prefix))]
    for entry in entries:
        path = f"{prefix}{entry.name}"
        folder = entry.is_dir(follow_symlinks=False)
        if entry.name.startswith(".") or ignored(path, folder, levels):
            continue
        if folder:
            yield from below(f"{path}/", levels)
        elif entry.is_file(follow_symlinks=False):
            yield path


def rules(prefix: str) -> list[Rule]:
    """What the ignore files of one directory say; see gitignore(5)."""
    found: list[Rule] = []
    for name in (".gitignore", ".ignore"):
        try:
            with open(f"{prefix}{name}", encoding="utf-8", errors="replace") as file:
                lines = file.read().splitlines()
        except OSError:
            continue
        for line in lines:
            text = line.strip()
            if not text or text.startswith("#"):
                continue
            keep = text.startswith("!")
            text = text[1:] if keep else text
            folders = text.endswith("/")
            text = text.rstrip("/")
            if "/" not in text:
                text = f"**/{text}"
            found.append((re.compile(translate(text.lstrip("/"))), not keep, folders))
    return found


def ignored(path: str, folder: bool, levels: list[tuple[str, list[Rule]]]) -> bool:
    verdict = False
    for prefix, found in levels:
        inside = path[len(prefix) :]
        for pattern, ignore, folders in found:
            if (folder or not folders) and pattern.fullmatch(inside):
                verdict = ignore
    return verdict


def glob_filter(glob: str) -> Callable[[str], bool]:
    """Whether a path fits a glob; one that starts with ! excludes, an empty one fits all."""
    if not glob:
        return lambda _path: True
    negative = glob.startswith("!")
    text = glob[1:] if negative else glob
    if "/" not in text:
        text = f"**/{text}"
    pattern = re.compile(translate(text.lstrip("/")), re.IGNORECASE)
    return lambda path: (pattern.fullmatch(path) is not None) != negative


def translate(glob: str) -> str:
    """A glob with **, *, ?, [] and {a,b} as a regular expression."""
    result, at, braces = "", 0, 0
    while at < len(glob):
        char = glob[at]
        if glob.startswith("**/", at):
            result, at = result + "(?:.*/)?", at + 3
            continue
        if glob.startswith("**", at):
            result, at = result + ".*", at + 2
            continue
        closing = glob.find("]", at + 2) if char == "[" else -1
        if closing > 0:
            inner = glob[at + 1 : closing].replace("\\", "\\\\")
            inner = f"^{inner[1:]}" if inner[0] == "!" else inner
            result, at = f"{result}[{inner}]", closing + 1
            continue
        if char == "{" and "}" in glob[at:]:
            result, braces = result + "(?:", braces + 1
        elif char == "}" and braces:
            result, braces = result + ")", braces - 1
        elif char == "," and braces:
            result += "|"
        else:
            result += {"*": "[^/]*", "?": "[^/]"}.get(char, re.escape(char))
        at += 1
    return result


if __name__ == "__main__":
    sys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", errors="replace")
    try:
        sys.exit(main(json.loads(sys.argv[1])))
    except BrokenPipeError:
        # The reader has enough.
        os._exit(0)
