"""Files that no tool may touch, or only after a question, by absolute resolved path.

Comparison ignores case: on some file systems `.SSH` is `.ssh`, and on the others nobody misses it.
"""

import functools
import re
from posixpath import normpath
from typing import Literal

Kind = Literal["policy", "ssh", "startup", "credentials", "system"]

# In HERMES_HOME: what decides about the agent, what it holds in secret, what the daemon executes.
_POLICY = (
    r"(?:config\.yaml|gateway\.json|\.env|\.managed|auth\.json|auth\.lock"
    r"|state\.db(?:-wal|-shm|-journal)?|(?:pairing|hooks|plugins|mcp-tokens)(?:/.*)?|mcp_tools\.json)(?:[.~][^/]*)?"
)
_POLICY_SECRETS = r"(?:\.env|auth\.json)(?:[.~][^/]*)?|(?:mcp-tokens|pairing)/.*"

_STARTUP = (
    r"\.(?:bashrc|bash_profile|bash_login|bash_logout|bash_aliases|profile|zshrc|zshenv|zprofile"
    r"|zlogin|zlogout|kshrc|cshrc|tcshrc|login|xprofile|xinitrc|xsession|xsessionrc"
    r"|pam_environment|zsh_aliases|envrc)"
    r"|\.config/(?:fish|autostart|systemd|environment\.d|plasma-workspace)(?:/.*)?"
    r"|\.local/share/systemd(?:/.*)?|Library/Launch(?:Agents|Daemons)(?:/.*)?"
)
_CREDENTIALS = (
    r"\.(?:netrc|npmrc|yarnrc\.yml|pypirc|pgpass|my\.cnf|git-credentials|vault-token|boto|s3cfg)"
    r"|\.(?:aws|gnupg|kube|azure|password-store)(?:/.*)?|\.docker/config\.json"
    r"|\.config/(?:gcloud|gh|hub|rclone|op|doctl|heroku|sops)(?:/.*)?"
    r"|\.config/git/credentials"
    r"|\.(?:cargo|gem)/credentials[^/]*|\.terraform\.d/credentials[^/]*"
)
_SYSTEM = (
    r"/etc/(?:passwd|shadow|group|gshadow|subuid|subgid|sudoers|sudo\.conf|doas\.conf|fstab"
    r"|crontab|environment|profile|bash\.bashrc|zshrc|zshenv|rc\.local|hosts\.(?:allow|deny)"
    r"|login\.defs|nsswitch\.conf|polkit-1|hermes-agent"
    r"|ld\.so\.(?:preload|conf|cache))-?"
    r"|/etc/(?:sudoers|ssh|systemd|pam|security|profile|init|cron|polkit-1|hermes-agent|apt"
    r"|ld\.so\.conf|udev|modprobe|sysctl|X11|xdg|zsh|skel|ssl|pki|NetworkManager|dbus-1|nixos"
    r"|modules-load|tmpfiles|sysusers)(?:\.d|\.conf|\.daily|\.hourly|\.weekly|\.monthly)?/.*"
    r"|/etc/(?:pam\.conf|sysctl\.conf|inittab|shells|hosts\.equiv|cron\.(?:allow|deny))"
    r"|/(?:usr/)?lib/(?:systemd|modules|udev|security)/.*|/run/systemd/.*"
    r"|/(?:boot|efi)(?:/.*)?|/var/spool/(?:cron|at)(?:/.*)?|/var/lib/(?:dpkg|polkit-1|systemd)/.*"
    r"|/(?:usr/(?:local/)?)?s?bin/.*|/nix/(?:store|var)/.*|/sys/.*|/proc/(?:sys|sysrq-trigger)\b.*"
    r"|/(?:System|Library)/.*"
)
_SECRETS = (
    r"\.ssh/(?!.*\.pub$)(?:id_[^/]*|identity|[^/]*\.(?:pem|key|ppk)|[^/]*_(?:rsa|ed25519|ecdsa))"
    r"|\.(?:netrc|npmrc|pypirc|pgpass|git-credentials|vault-token|my\.cnf)"
    r"|\.aws/(?:credentials|sso/.*|cli/cache/.*)|\.gnupg/(?:private-keys[^/]*/.*|secring[^/]*)"
    r"|\.kube/config|\.docker/config\.json|\.azure/.*|\.password-store/.*"
    r"|\.config/(?:gh/hosts\.yml|git/credentials|sops/.*|rclone/rclone\.conf|op/.*"
    r"|gcloud/(?:credentials.*|access_tokens.*|application_default.*|legacy_credentials/.*))"
    r"|\.(?:cargo|gem)/credentials[^/]*|\.terraform\.d/credentials[^/]*"
    r"|\.mozilla/firefox/.*/(?:logins\.json|key\d\.db|cookies\.sqlite)"
    r"|\.config/(?:google-chrome|chromium)/.*/(?:Login Data|Cookies)"
)
# The same as whole directories where it can be: what a sandbox hides, and what it shows of that,
# because ssh with an agent needs it.
SEALED = (
    ".ssh", ".gnupg", ".aws", ".azure", ".kube", ".password-store", ".local/share/keyrings",
    ".config/gcloud", ".config/gh", ".config/hub", ".config/op", ".config/rclone",
    ".config/doctl", ".config/heroku", ".config/sops", ".config/git/credentials",
    ".mozilla", ".thunderbird", ".config/google-chrome",
    ".config/chromium", ".config/BraveSoftware", ".config/microsoft-edge", ".config/vivaldi",
    "snap/firefox", "snap/chromium", ".var/app/org.mozilla.firefox", ".var/app/com.google.Chrome",
    ".var/app/org.chromium.Chromium", ".netrc", ".npmrc", ".yarnrc.yml", ".pypirc", ".pgpass",
    ".my.cnf", ".git-credentials", ".vault-token", ".boto", ".s3cfg", ".docker/config.json",
    ".cargo/credentials", ".cargo/credentials.toml", ".gem/credentials",
    ".terraform.d/credentials.tfrc.json",
)  # fmt: skip
UNSEALED = (".ssh/config", ".ssh/config.d", ".ssh/known_hosts", ".ssh/known_hosts2")

_SYSTEM_SECRETS = (
    r"/etc/g?shadow-?|/etc/ssh/ssh_host_[^/]*key|/etc/hermes-agent/.*\.env|/run/(?:secrets|credentials|agenix|hermes|hermes-agent)(?:/.*)?"
    r"|/proc/(?!sys/)[^/]+/(?:task/[^/]+/)?(?:environ|mem|auxv|maps|syscall|stack)|/proc/k(?:core|msg)"
    r"|/dev/k?mem|/dev/port|/etc/krb5\.keytab"
)

_WHOLE_DISK = re.compile(
    r"/dev/(?:(?:sd|hd|vd|xvd)[a-z]+\d*|nvme\d+(?:n\d+(?:p\d+)?)?|mmcblk\d+(?:p\d+|boot\d)?|md\d+"
    r"|dm-\d+|r?disk\d+(?:s\d+)?|loop\d+|sr\d+|mapper/.+|disk/.+|mtd\w*\d+|nbd\d+|zd\d+|bcache\d+"
    r"|k?mem|port)\Z"
)

# Removing, or opening up, any of these (or what is directly in it) takes the machine with it.
_VITAL = (
    "/", "/bin", "/boot", "/dev", "/efi", "/etc", "/home", "/lib", "/lib32", "/lib64", "/media",
    "/mnt", "/nix", "/nix/store", "/nix/var", "/opt", "/proc", "/root", "/run", "/sbin", "/srv",
    "/sys", "/usr", "/usr/bin", "/usr/lib", "/usr/lib64", "/usr/libexec", "/usr/local", "/usr/sbin",
    "/usr/share", "/usr/include", "/var", "/var/lib", "/var/log", "/var/spool", "/etc/ssh",
    "/etc/systemd", "/etc/pam.d", "/etc/nixos", "/System", "/Library", "/Users", "/Applications",
    "/private", "/private/etc", "/private/var", "/Volumes",
)  # fmt: skip


def clean(path: str) -> str:
    """An absolute path without `.`, `..`, doubled slashes and the ways of saying `/` in /proc."""
    path = normpath("/" + path.lstrip("/"))
    while True:
        hit = re.match(r"/proc/(?:self|thread-self|\d+)/(?:task/\d+/)?root(?=/|\Z)", path)
        if hit is None:
            return path
        path = path[hit.end() :] or "/"


@functools.lru_cache(maxsize=16)
def _homes(home: str) -> str:
    return rf"(?:{re.escape(home.rstrip('/'))}|/root|/home/[^/]+|/Users/[^/]+|/var/root)"


@functools.lru_cache(maxsize=16)
def _writing(home: str, hermes_home: str) -> re.Pattern[str]:
    homes = _homes(home)
    return re.compile(
        rf"(?P<policy>{re.escape(hermes_home.rstrip('/'))}/(?:{_POLICY}))\Z"
        rf"|{homes}/(?:(?P<ssh>\.ssh(?:/.*)?)|(?P<startup>{_STARTUP})"
        rf"|(?P<credentials>{_CREDENTIALS}))\Z|(?P<system>{_SYSTEM})\Z",
        re.I | re.S,
    )


@functools.lru_cache(maxsize=16)
def _reading(home: str, hermes_home: str) -> re.Pattern[str]:
    return re.compile(
        rf"(?:{re.escape(hermes_home.rstrip('/'))}/(?:{_POLICY_SECRETS})"
        rf"|{_homes(home)}/(?:{_SECRETS})|{_SYSTEM_SECRETS})\Z",
        re.I | re.S,
    )


def guarded(path: str, *, home: str, hermes_home: str) -> Kind | None:
    """What kind of protected file writing to `path` would change, if any."""
    hit = _writing(home, hermes_home).match(path)
    return hit.lastgroup if hit else None  # pyright: ignore[reportReturnType] - the group names are the kinds


def secret(path: str, *, home: str, hermes_home: str) -> bool:
    """Whether `path` holds keys, tokens or passwords."""
    return _reading(home, hermes_home).match(path) is not None


def device(path: str) -> bool:
    """Whether `path` names a disk, a partition or the machine's memory."""
    return _WHOLE_DISK.match(path) is not None


@functools.lru_cache(maxsize=16)
def vital(home: str, hermes_home: str) -> tuple[str, ...]:
    """Directories that may not be removed or changed through and through: those of the system,
    the home with its parents, HERMES_HOME with what decides about the agent."""
    found: dict[str, None] = dict.fromkeys(_VITAL)
    for start in (home, hermes_home):
        path = clean(start)
        while path != "/":
            found[path] = None
            path = path.rpartition("/")[0] or "/"
    names = ("state.db", "config.yaml", ".env", "auth.json", "pairing", "hooks", "plugins")
    found.update(dict.fromkeys(f"{clean(hermes_home)}/{name}" for name in names))
    return tuple(found)


def policy_files(hermes_home: str) -> tuple[str, ...]:
    """The single files in HERMES_HOME that a hard link must not lead to."""
    names = ("config.yaml", ".env", ".managed", "auth.json", "state.db", "state.db-wal",
             "state.db-shm", "gateway.json")  # fmt: skip
    return tuple(f"{hermes_home.rstrip('/')}/{name}" for name in names)


def linked_files(home: str) -> tuple[str, ...]:
    """Single files in the home that a hard link must not lead to."""
    names = (".bashrc", ".bash_profile", ".profile", ".zshrc", ".zshenv", ".zprofile", ".netrc",
             ".npmrc", ".pypirc", ".pgpass", ".git-credentials", ".aws/credentials", ".kube/config",
             ".docker/config.json", ".ssh/authorized_keys", ".ssh/config", ".ssh/id_rsa",
             ".ssh/id_ed25519", ".ssh/id_ecdsa", ".config/gh/hosts.yml")  # fmt: skip
    return (
        *(f"{home.rstrip('/')}/{name}" for name in names),
        "/etc/passwd", "/etc/shadow", "/etc/sudoers",
    )  # fmt: skip
