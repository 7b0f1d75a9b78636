"""Doors opened to the network, and what leaves through them."""

import re
from collections.abc import Iterator

from hermes_agent.policy.protected import secret
from hermes_agent.policy.rules.finding import Finding, Rule, View, ask, key
from hermes_agent.policy.shell import Word

_SENDERS = frozenset(("curl", "wget", "http", "https", "xh", "nc", "ncat", "netcat", "socat", "scp",
                      "sftp", "rsync", "ftp", "ssh", "mail", "sendmail", "mutt", "aws", "gsutil",
                      "rclone", "gh", "telnet", "curlie"))  # fmt: skip
# These name keys to use them or to look after them, not to show what is in them.
_KEEPERS = frozenset(("ls", "stat", "test", "[", "chmod", "chown", "ssh-add", "ssh-keygen", "file",
                      "touch", "mkdir", "rm", "rmdir", "du", "echo", "printf", "realpath",
                      "readlink",
                      "basename", "dirname", "cd", "find", "tree", "git", "export", "gpg", "which",
                      "shred", "unlink", "wc", "sha256sum", "md5sum", "ln", "lsattr", "getfacl",
                      "mosh", "autossh", "ssh-copy-id", "alias", "local", "declare"))  # fmt: skip
_LIKELY = re.compile(
    r"\.(?:ssh|netrc|npmrc|pypirc|pgpass|git-credentials|vault-token|my\.cnf|aws|gnupg|kube|docker"
    r"|azure|password-store|config|cargo|gem|terraform|mozilla|env|pem|key)|/etc/|/run/|/proc/|/dev/"
    r"|auth\.json|pairing|mcp-tokens|id_|identity|credentials|[*?]",
    re.I,
)
_SECRET_FILES = re.compile(
    r"(?:\A|/)(?:\.env(?:\.(?!example|sample|template|dist)[\w.-]+)?|[^/]*\.(?:pem|ppk)|id_(?:rsa|dsa|ecdsa|ed25519)"
    r"|credentials(?:\.json)?|secrets?\.(?:ya?ml|json|toml)|\.netrc|\.pgpass)\Z",
    re.I,
)


_READS_SECRET = re.compile(
    r"(?:cat|base64|xxd|<)\s+\S*(?:\.env|id_rsa|id_ed25519|credentials|\.netrc)|printenv|\benv\b"
)


def _files(view: View) -> Iterator[Word]:
    """Every file that the command may read: words, `@file` and `name=file` values, redirects."""
    options = ("-i", "-F", "-o")
    skip_next = False
    for word in view.arguments:
        text = word.text
        if view.program in ("ssh", "scp", "sftp", "rsync") and skip_next:
            skip_next = False
            continue
        skip_next = text in options
        if text.startswith("-") and "=" not in text and "@" not in text:
            # A glued short option: `-T.env`.
            if view.program in _SENDERS and re.match(r"-[dFT][^-]", text):
                yield Word(text[2:], word.dynamic, pattern=word.pattern)
            continue
        yield word
        for mark in ("@", "=", "<"):
            if mark in text:
                yield Word(text.rpartition(mark)[2], word.dynamic)
    yield from (r.target for r in view.command.redirects if "<" in r.operator)


def reads_secret(view: View) -> Finding | None:
    """A command that would show or copy stored keys."""
    if view.program in _KEEPERS and not any(r.operator == "<" for r in view.command.redirects):
        return None
    place = view.place
    cwd = view.command.cwd or ""
    in_secret_place = _LIKELY.search(cwd) is not None
    for word in _files(view):
        if not in_secret_place and not _LIKELY.search(word.text):
            continue
        if word.dynamic and re.match(r"/proc/.*/(?:environ|mem)\Z", word.text):
            return ask("read-secret:/proc", "It reads another process's environment.", exactly=True)
        path = _secret_path(view, word)
        if path is not None and secret(path, home=place.home, hermes_home=place.hermes_home):
            if view.program in _SENDERS:
                return ask(key("send-secret", path), "It sends stored keys or passwords away.")
            return ask(key("read-secret", path), "It reads stored keys or passwords.")
    return None


def _secret_path(view: View, word: Word) -> str | None:
    pattern = view.pattern(word)
    if pattern is None:
        return view.path(word)
    # A pattern in a place of secrets may match any of them.
    for name in ("id_rsa", "id_ed25519", "credentials", "config", "environ", "shadow", "auth.json",
                 ".env",
                 ".netrc", ".git-credentials"):  # fmt: skip
        head, _, tail = pattern.rpartition("/")
        from hermes_agent.policy.rules.finding import glob

        if glob(tail).match(name):
            return f"{head}/{name}"
    return pattern


def sends(view: View) -> Finding | None:
    """Uploads of files that hold secrets by their name."""
    texts = view.texts()
    upload = view.program not in ("curl", "wget") or any(
        re.match(r"-(?:[dFT]|-data|-form|-upload-file|-post-file|-body-file|-json)", t)
        for t in texts
    )
    if upload and view.program in _SENDERS:
        for word in _files(view):
            name = (
                word.text.partition(";")[0].partition(":")[0]
                if view.program == "curl"
                else word.text
            )
            if _SECRET_FILES.search(name):
                return ask(key("send-secret", name), "It sends stored keys or passwords away.")
        fed = [view.script.commands[i] for i in view.command.upstream]
        for source in fed:
            if source.program in ("env", "printenv", "set", "export") and len(source.argv) == 1:
                return ask("send-secret:environment", "It sends environment variables away.")
            if any(_SECRET_FILES.search(w.text) for w in source.argv[1:]):
                return ask(
                    "send-secret:piped", "It sends stored keys or passwords away.", exactly=True
                )
    return None


def environment(view: View) -> Finding | None:
    """A URL or a header that carries a secret from the environment."""
    for word in view.arguments:
        if not word.dynamic or not re.search(r"\$\(|`", word.text):
            continue
        if _READS_SECRET.search(word.text):
            return ask(
                "send-secret:substituted", "It sends stored keys or passwords away.", exactly=True
            )
    return None


def listens(view: View) -> Finding | None:
    """`nc -l`, `socat …LISTEN`, reverse shells, tunnels."""
    texts = view.texts()
    if view.program == "socat":
        if any(re.search(r"listen", t, re.I) for t in texts):
            return ask("listen:socat", "It opens this machine to the network.")
        if any(re.match(r"(?:exec|system)", t, re.I) for t in texts):
            return ask("remote-shell", "It hands a shell to the network.")
        return None
    if view.has("ec", "exec", "sh-exec") and view.program in ("nc", "ncat", "netcat"):
        return ask("remote-shell", "It hands a shell to the network.")
    if view.has("l", "listen") and view.program in ("nc", "ncat", "netcat"):
        return ask("listen:nc", "It opens this machine to the network.")
    return None


def tunnels(view: View) -> Finding | None:
    """`ssh -R`, and commands run elsewhere."""
    if any(re.match(r"-[A-Za-z]*R", t) for t in view.texts()):
        return ask("listen:ssh", "It opens this machine to another one.")
    if any(
        re.search(r"ProxyCommand|LocalCommand|PermitLocalCommand", t, re.I) for t in view.texts()
    ):
        return ask("ssh-runs", "It makes ssh run another program.", exactly=True)
    return None


def exposes(view: View) -> Finding | None:
    """`ngrok`, `cloudflared`, `tailscale funnel`."""
    texts = view.texts()
    if view.program == "tailscale" and texts[:1] not in (
        ["funnel"],
        ["serve"],
        ["up"],
        ["down"],
        ["set"],
    ):
        return None
    if texts[:1] in (["version"], ["help"], ["--version"], ["--help"]):
        return None
    return ask(key("listen", view.program), "It opens this machine to the internet.")


def device_socket(view: View) -> Finding | None:
    """Bash's own `/dev/tcp`."""
    for redirect in view.command.redirects:
        if redirect.target.text.startswith(("/dev/tcp/", "/dev/udp/")):
            return ask(
                "dev-tcp", "It talks to the network behind the programs' backs.", exactly=True
            )
    return None


ANY: tuple[Rule, ...] = (reads_secret, device_socket)
_SENDING: tuple[Rule, ...] = (sends, environment)
RULES: dict[str, tuple[Rule, ...]] = {
    **dict.fromkeys(_SENDERS, _SENDING),
    **dict.fromkeys(("nc", "ncat", "netcat", "socat"), (listens, *_SENDING)),
    **dict.fromkeys(("ssh", "autossh"), (tunnels, *_SENDING)),
    **dict.fromkeys(("ngrok", "cloudflared", "tailscale", "localtunnel", "lt", "bore", "frpc",
                     "chisel"), (exposes,)),
}  # fmt: skip
