"""Git: what cannot be taken back."""

import re

from hermes_agent.policy.rules.finding import Finding, Rule, View, ask, key

_VALUED = ("-C", "-c", "--git-dir", "--work-tree", "--namespace", "--exec-path", "--config-env")
_RUNS = re.compile(
    r"(?:core\.(?:pager|editor|sshcommand|fsmonitor|hookspath|gitproxy|askpass)|alias\.[^=\s]+"
    r"|(?:diff|merge|filter|credential|difftool|mergetool)\..*(?:command|driver|helper|textconv|clean"
    r"|smudge|process|cmd|path)|sequence\.editor|pager\..*|gpg\..*program|uploadpack\..*|protocol\..*"
    r"|credential\.helper|include\.path|includeif\..*)\Z",
    re.I,
)


def git(view: View) -> Finding | None:
    """`git` with its own options undone."""
    texts = view.texts()
    at = 0
    while at < len(texts) and texts[at].startswith("-"):
        if (
            texts[at] == "-c"
            and at + 1 < len(texts)
            and _RUNS.match(texts[at + 1].partition("=")[0])
        ):
            name = texts[at + 1].partition("=")[0]
            if not re.fullmatch(r"\w+\.pager=(?:cat|less)?", texts[at + 1]):
                return ask(key("git-runs", name), "It makes git run another program.", exactly=True)
        at += 2 if texts[at] in _VALUED else 1
    verb, rest = (texts[at], texts[at + 1 :]) if at < len(texts) else ("", [])
    return _judge(verb, rest)


def _judge(verb: str, rest: list[str]) -> Finding | None:
    match verb:
        case "push":
            return _push(rest)
        case "reset" if any(_long(t, "--hard") for t in rest):
            return ask("git-reset-hard", "It throws away changes that are not committed.")
        case "clean" if _flag(rest, "f", "--force") and not _flag(rest, "n", "--dry-run"):
            return ask("git-clean", "It removes files that git does not know.")
        case "checkout" | "restore" | "switch" if _discards(verb, rest):
            return ask("git-discard", "It throws away changes that are not committed.")
        case "branch" if "-D" in rest or ("--force" in rest and _flag(rest, "d", "--delete")):
            return ask("git-branch-delete", "It removes a branch that may not be merged.")
        case "stash" if rest[:1] in (["drop"], ["clear"]):
            return ask("git-stash-drop", "It throws stashed changes away.")
        case "reflog" if rest[:1] in (["expire"], ["delete"]):
            return ask("git-reflog", "It removes what lost commits are found by.")
        case "filter-branch" | "filter-repo":
            return ask("git-rewrite", "It rewrites the whole history.")
        case "update-ref" if "-d" in rest:
            return ask("git-update-ref", "It removes a reference.")
        case "config" | "config-global" if _config(rest):
            return ask(
                "git-config-runs", "It makes git run another program from now on.", exactly=True
            )
        case "submodule" if rest[:1] == ["foreach"] and len(rest) > 1:
            return ask("git-foreach", "It runs a command in every submodule.", exactly=True)
        case "rebase" | "bisect" if any(t in ("-x", "run") or t.startswith("--exec") for t in rest):
            return ask("git-exec", "It runs a command at every step.", exactly=True)
        case "daemon" | "instaweb":
            return ask("listen:git", "It opens this machine to the network.")
        case _:
            return None


def _push(rest: list[str]) -> Finding | None:
    forced = _flag(rest, "f", "--force", "--force-with-lease", "--mirror", "--prune") or any(
        t.startswith(("+", "--force-with-lease=")) for t in rest
    )
    if forced:
        return ask("git-push-force", "It overwrites the history of a shared repository.")
    if _flag(rest, "d", "--delete") or any(re.match(r":\S", t) for t in rest):
        return ask("git-push-delete", "It removes a branch of a shared repository.")
    return None


def _discards(verb: str, rest: list[str]) -> bool:
    if verb == "switch":
        return _flag(rest, "f", "--force", "--discard-changes") or "-C" in rest
    if verb == "restore":
        staged = _flag(rest, "S", "--staged") and not _flag(rest, "W", "--worktree")
        return not staged
    return _flag(rest, "f", "--force") or "--" in rest or "." in rest


def _config(rest: list[str]) -> bool:
    names = [t for t in rest if not t.startswith("-")]
    if len(names) < 2 or names[0] in ("get", "list"):
        return False
    name = names[1] if names[0] == "set" else names[0]
    return _RUNS.match(name) is not None and not re.search(r"pager|editor", name, re.I)


def _flag(texts: list[str], letter: str, *names: str) -> bool:
    for text in texts:
        if text == "--":
            return False
        if text in names or any(_long(text, n) for n in names if len(text) > 5):
            return True
        if re.fullmatch(r"-[A-Za-z]+", text) and letter in text[1:]:
            return True
    return False


def _long(text: str, name: str) -> bool:
    return text.startswith("--") and len(text) > 4 and name.startswith(text)


def forge(view: View) -> Finding | None:
    """`gh`, `glab`: removing things, and the token."""
    texts = [t for t in view.texts() if not t.startswith("-")]
    if texts[1:2] == ["delete"] or texts[:2] in (["auth", "token"], ["repo", "archive"]):
        return ask(
            key(view.program, *texts[:2]), "It removes something at the forge, or shows its token."
        )
    if texts[:1] == ["api"] and re.search(r"DELETE|PUT|PATCH", " ".join(view.texts())):
        return ask(key(view.program, "api-write"), "It changes something at the forge.")
    return None


RULES: dict[str, tuple[Rule, ...]] = {"git": (git,), "gh": (forge,), "glab": (forge,)}
