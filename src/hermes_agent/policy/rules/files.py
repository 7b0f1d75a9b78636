"""Removing, moving and opening up files."""

from hermes_agent.policy.protected import vital
from hermes_agent.policy.rules.finding import Finding, Rule, View, ask, block, key
from hermes_agent.policy.shell import Word

_VITAL = "It would remove or change a directory that the machine or the agent cannot do without."


def _vital(view: View, word: Word) -> str | None:
    """The vital directory that `word` names, or all of whose content it names."""
    place = view.place
    paths = vital(place.home, place.hermes_home)
    hit = view.hits(word, paths)
    if hit is None:
        text = view.pattern(word)
        if text is not None and text.rpartition("/")[2] in (
            "*",
            ".*",
            ".[!.]*",
            "?*",
            "**",
            ".??*",
        ):
            parent = view.path(Word(text.rpartition("/")[0] or "/"))
            hit = parent if parent in paths else None
    if hit is None and not word.dynamic and word.text:
        hit = _by_link(view, word, paths)
    return hit


def _by_link(view: View, word: Word, paths: tuple[str, ...]) -> str | None:
    """`link/` and `link/.` go through a symbolic link to what it points to."""
    from os.path import realpath

    path = view.path(word)
    if path is None or view.command.via[-1:] == ("ssh",):
        return None
    through = word.text.endswith(("/", "/.")) or "/" in word.text
    resolved = realpath(path) if through else None
    return resolved if resolved in paths else None


def remove(view: View) -> Finding | None:
    """`rm`, `rmdir`, `unlink`, `shred`, `trash`."""
    recursive = view.program == "rm" and view.has("rR", "recursive", "dir")
    operands = view.operands()
    if recursive or view.program == "rm":
        hit = next((v for v in (_vital(view, w) for w in operands) if v is not None), None)
        if hit is not None and (recursive or hit.startswith(view.place.hermes_home)):
            return block(key("rm-vital", hit), _VITAL)
    if view.has("", "no-preserve-root"):
        return block("rm-vital:/", _VITAL)
    if recursive:
        return _ask_targets("rm-recursive", view, operands, "It removes whole directories.")
    if any(w.splits for w in view.arguments) and view.command.via[-1:] != ("find",):
        if view.command.via[-1:] == ("xargs",):
            return ask("rm-xargs", "It removes files that are known only at run time.")
        return ask(
            "rm-dynamic", "What it removes, and how, is known only at run time.", exactly=True
        )
    if view.program == "shred":
        return ask(_targets("shred", view, operands), "It destroys files beyond recovery.")
    return None


def _ask_targets(rule: str, view: View, operands: list[Word], sentence: str) -> Finding:
    """Remembered by the resolved paths; by the very command where those are not known yet."""
    unknown = any(w.dynamic or view.path(w) is None for w in operands)
    return ask(_targets(rule, view, operands), sentence, exactly=unknown)


def _targets(rule: str, view: View, operands: list[Word]) -> str:
    named = [view.pattern(w) or view.path(w) or w.text for w in operands]
    return key(rule, " ".join(named))


def move(view: View) -> Finding | None:
    """`mv` of a vital directory."""
    operands = view.operands()
    sources = operands if view.value("-t", "--target-directory") else operands[:-1]
    hit = next((v for v in (_vital(view, w) for w in sources) if v is not None), None)
    return block(key("mv-vital", hit), _VITAL) if hit else None


def permissions(view: View) -> Finding | None:
    """`chmod`, `chown`, `chgrp`, `setfacl`, `chattr`."""
    operands = view.operands()
    recursive = view.has("R", "recursive")
    if recursive:
        hit = next((v for v in (_vital(view, w) for w in operands[1:]) if v is not None), None)
        if hit is not None:
            return block(key(f"{view.program}-vital", hit), _VITAL)
    mode = operands[0].text if operands else ""
    if view.program == "chmod":
        octal = mode.lstrip("0") if mode.isdigit() else ""
        # Symbolic modes that take away (`-w`, `-x`) look like options.
        symbolic = [*(t for t in view.texts() if t[:1] in "ugoa+="), mode]
        if octal[-1:] in ("2", "3", "6", "7") or any(_opens(m) for m in symbolic):
            return ask("chmod-world-writable", "It lets everybody on this machine write there.")
        if (len(octal) == 4 and octal[0] in "4567") or any("s" in m and "+" in m for m in symbolic):
            return ask("chmod-setuid", "It lets a program run with its owner's rights.")
        if recursive and any(w.text.startswith("/") and not _mine(view, w) for w in operands[1:]):
            return ask(_targets("chmod-recursive", view, operands[1:]), "It changes whole trees.")
        return None
    if view.program in ("chown", "chgrp") and recursive:
        return _ask_targets(
            f"{view.program}-recursive",
            view,
            operands[1:],
            "It gives whole directories to another owner.",
        )
    if view.program in ("chown", "chgrp") and mode.partition(":")[0] in ("root", "0"):
        return ask("chown-root", "It gives files to root.")
    return None


def _mine(view: View, word: Word) -> bool:
    path = view.path(word)
    mine = (view.place.home + "/", view.place.cwd + "/", "/tmp/")  # noqa: S108 - only compared
    return path is not None and path.startswith(mine)


def _opens(mode: str) -> bool:
    for clause in mode.split(","):
        for sign in "+=":
            who, found, what = clause.partition(sign)
            if found and "w" in what and ("o" in who or "a" in who):
                return True
    return False


def find(view: View) -> Finding | None:
    """`find … -delete`, and what `-exec` makes of it."""
    texts = view.texts()
    deletes = "-delete" in texts
    runs = [texts[i + 1] for i, t in enumerate(texts[:-1]) if t in ("-exec", "-execdir", "-ok")]
    removes = any(r.rpartition("/")[2] in ("rm", "shred", "unlink") for r in runs)
    if not deletes and not removes:
        return None
    starts: list[Word] = []
    for word in view.arguments:
        if word.text in ("-H", "-L", "-P"):
            continue
        if word.text.startswith(("-", "(", "!")):
            break
        starts.append(word)
    narrowed = any(t in texts for t in ("-name", "-iname", "-path", "-regex", "-mtime", "-size",
                                        "-empty", "-newer", "-mmin", "-user",
                                        "-ctime"))  # fmt: skip
    hit = next((v for v in (_vital(view, w) for w in starts) if v is not None), None)
    if hit is not None and not narrowed:
        return block(key("find-vital", hit), _VITAL)
    return _ask_targets(
        "find-delete" if deletes else "find-exec-rm",
        view,
        starts or [Word(".")],
        "It removes every file that it finds.",
    )


def sync(view: View) -> Finding | None:
    """`rsync --delete`."""
    if not any(t.startswith(("--delete", "--del", "--remove-source")) for t in view.texts()):
        return None
    hit = next((v for v in (_vital(view, w) for w in view.operands()[1:]) if v), None)
    if hit is not None:
        return block(key("rsync-vital", hit), _VITAL)
    return ask("rsync-delete", "It removes files at the destination.")


def truncate(view: View) -> Finding | None:
    """`mktemp`-free emptying of many files at once is asked about where it is recursive only."""
    if view.has("s", "size") and any(w.splits or w.pattern for w in view.operands()):
        return ask("truncate-many", "It empties several files.")
    return None


RULES: dict[str, tuple[Rule, ...]] = {
    "rm": (remove,),
    "rmdir": (remove,),
    "unlink": (remove,),
    "shred": (remove,),
    "srm": (remove,),
    "mv": (move,),
    "chmod": (permissions,),
    "chown": (permissions,),
    "chgrp": (permissions,),
    "find": (find,),
    "rsync": (sync,),
    "truncate": (truncate,),
}
