"""Where commands write, and what must not be written there."""

from collections.abc import Iterator

from hermes_agent.policy.protected import device, guarded, policy_files
from hermes_agent.policy.rules.finding import Finding, View, ask, block, key
from hermes_agent.policy.shell import Word

_SENTENCES = {
    "ssh": "It changes who may log in by SSH, or how.",
    "startup": "It changes what runs at every login.",
    "credentials": "It changes stored credentials.",
    "system": "It changes a file of the system.",
}
_POLICY = (
    "It would change the agent's own policy, credentials or state. Only a person may, with the "
    "`hermes` command."
)

# Which operands a program writes: all, the last, the first, or those after the first.
_ALL = frozenset(("tee", "touch", "truncate", "rm", "unlink", "shred", "rmdir", "vi", "vim", "nano",
                  "emacs", "ed", "ex", "sponge", "srm", "mkfifo", "chattr", "mknod",
                  "visudo"))  # fmt: skip
_LAST = frozenset(("cp", "mv", "install", "ln", "rsync", "scp", "link"))
_AFTER_FIRST = frozenset(("chmod", "chown", "chgrp", "setfacl"))
_IN_PLACE = frozenset(("sed", "perl", "ruby", "gawk", "awk", "yq", "sd", "gsed"))
_OUTPUT_OPTIONS: dict[str, tuple[str, ...]] = {
    "curl": ("-o", "--output", "-c", "--cookie-jar", "--dump-header", "-D"),
    "wget": ("-O", "--output-document", "-o", "-P"),
    "sort": ("-o", "--output"),
    "tar": ("-C", "--directory"),
    "unzip": ("-d",),
    "openssl": ("-out",),
    "gpg": ("-o", "--output"),
    "patch": ("-o", "--output"),
    "gcc": ("-o",),
    "cc": ("-o",),
    "age": ("-o",),
    "aria2c": ("-o", "--out", "-d"),
    "pandoc": ("-o",),
    "git": ("--output", "-o"),
    "yt-dlp": ("-o",),
}
_STATE = frozenset(("sqlite3", "sqlite", "litecli", "sqlite-utils"))


def destinations(view: View) -> Iterator[Word]:
    """The files that the program itself writes, by its arguments."""
    name = view.program
    operands = view.operands()
    if name in _ALL:
        yield from operands
    elif name in _LAST:
        target = view.value("-t", "--target-directory")
        last = target or (operands[-1] if len(operands) > 1 else None)
        if last is not None:
            yield last
            yield from _into(last, operands if target else operands[:-1])
        if name == "mv":
            yield from operands[:-1]
    elif name in _AFTER_FIRST:
        yield from operands[1:]
    elif name in _IN_PLACE and _edits(view):
        yield from operands
    elif name == "dd":
        yield from (Word(w.text[3:], w.dynamic) for w in view.arguments if w.text[:3] == "of=")
    elif name == "patch" or name in _STATE:
        yield from operands[:1]
    if name in _OUTPUT_OPTIONS:
        value = view.value(*_OUTPUT_OPTIONS[name])
        if value is not None:
            yield value


def _edits(view: View) -> bool:
    if view.program in ("gawk", "awk"):
        return "inplace" in view.texts()
    if view.program == "sd":
        return not view.has("p", "preview")
    return view.has("i", "in-place", "inplace")


def _into(directory: Word, sources: list[Word]) -> Iterator[Word]:
    """Copying `a/b` to a directory writes `directory/b`."""
    base = directory.text.rstrip("/")
    return (
        Word(f"{base}/{w.text.rstrip('/').rpartition('/')[2]}", w.dynamic or directory.dynamic)
        for w in sources
    )


def written(view: View) -> Finding | None:
    """Redirects and writing programs, against the protected files."""
    place = view.place
    redirected = list(view.written())
    for word in (*redirected, *destinations(view)):
        hit = view.hits(word, policy_files(place.hermes_home)) if word.pattern else None
        path = hit or view.path(word)
        if path is None:
            continue
        if device(path):
            return block(key("write-disk", path), "It would overwrite a disk or the memory.")
        kind = guarded(path, home=place.home, hermes_home=place.hermes_home)
        if kind == "policy":
            if view.program in _STATE and _only_reads(view):
                continue
            return block(key("agent-policy", path), _POLICY)
        if kind is None and (path.startswith("/etc/") or path == "/etc"):
            kind = "system"
        if kind is not None:
            return ask(key(f"write-{kind}", path), _SENTENCES[kind])
    return None


def _only_reads(view: View) -> bool:
    if view.has("", "readonly") or "-readonly" in view.texts():
        return True
    operands = view.operands()
    statements = [w.text.strip().lower() for w in operands[1:]]
    return bool(statements) and all(
        s.startswith(("select", ".schema", ".tables", ".dump", "pragma table_info", ".mode",
                      "explain"))
        and not any(f in s for f in ("attach", "load_extension", ";delete", "writefile", "; "))
        for s in statements
    )  # fmt: skip
