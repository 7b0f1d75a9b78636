"""The machine: rights, services, processes, packages, schedules, power."""

import re

from hermes_agent.policy.rules.finding import Finding, Rule, View, ask, block, key


def become(view: View) -> Finding | None:
    """`sudo`, `doas`, `su`, …: the essential part of the key is the program that is run."""
    if view.program == "sudo" and view.texts() in (["-v"], ["-k"], ["-K"], ["-l"], ["-n", "true"]):
        return None
    inner = next(
        (
            c
            for c in view.script.commands
            if c.via == (*view.command.via, view.program)
            and c.argv
            and c.source == view.command.source
        ),
        None,
    )
    what = inner.program if inner else ""
    return Finding(
        "ask",
        key(view.program, what) if what else view.program,
        "It runs with another user's rights.",
        exactly=not what or what in ("sh", "bash", "env", "su"),
    )


_STOPPING = ("stop", "disable", "mask", "restart", "kill", "isolate", "try-restart",
             "reload-or-restart",
             "poweroff", "reboot", "halt", "suspend", "hibernate", "kexec", "emergency", "rescue",
             "set-default", "edit", "revert", "set-property", "link", "enable", "daemon-reload",
             "start",
             "unmask", "preset", "set-environment", "import-environment",
             "soft-reboot")  # fmt: skip


_FOR_USER = ("start", "daemon-reload", "import-environment")


def service(view: View) -> Finding | None:
    """`systemctl`, `service`, `rc-service`, `launchctl`."""
    operands = [w.text for w in view.operands()]
    if view.program == "systemctl":
        harmless = operands[:1] and operands[0] in _FOR_USER and view.has("", "user")
        if operands[:1] and operands[0] in _STOPPING and not harmless:
            return ask(key("systemctl", *operands[:2]), "It changes which services run.")
        return None
    if view.program == "launchctl":
        if operands[:1] and operands[0] not in ("list", "print", "help", "version"):
            return ask(key("launchctl", *operands[:2]), "It changes which services run.")
        return None
    if any(t in ("stop", "restart", "start", "reload", "delete", "del", "add") for t in operands):
        return ask(key(view.program, *operands[:2]), "It changes which services run.")
    return None


def power(view: View) -> Finding | None:
    """Shutting down."""
    if view.program in ("init", "telinit"):
        levels = [w.text for w in view.operands()]
        if levels[:1] not in (["0"], ["6"], ["1"], ["s"], ["S"]):
            return None
    if view.has("c") and view.program == "shutdown":
        return None
    return ask("shutdown", "It stops or restarts the machine.")


def kill(view: View) -> Finding | None:
    """`kill`: everything is blocked, force is asked about."""
    texts = view.texts()
    signal, targets = _signal(texts)
    if any(t == "-1" for t in targets) or (any(t == "1" for t in targets)):
        if "-l" in texts or "-L" in texts:
            return None
        return block("kill-everything", "It would end every process.")
    if signal in ("9", "KILL"):
        return ask("kill-force", "It ends a process without giving it a chance to save.")
    if any("$PPID" in t or "${PPID" in t for t in texts):
        return ask("kill-agent", "It may end the agent itself.")
    return None


def _signal(texts: list[str]) -> tuple[str, list[str]]:
    signal, at, targets_only = "", 0, False
    rest: list[str] = []
    while at < len(texts):
        text = texts[at]
        if text == "--":
            targets_only = True
        elif not targets_only and not signal and text in ("-s", "--signal", "-n"):
            signal = texts[at + 1] if at + 1 < len(texts) else ""
            at += 1
        elif (
            not targets_only
            and not signal
            and not rest
            and re.match(r"-[A-Za-z0-9]|--signal=", text)
            and (len(texts) > 1 and text not in ("-l", "-L", "-p"))
        ):
            signal = text.lstrip("-").partition("=")[2] or text[1:]
        else:
            rest.append(text)
        at += 1
    return signal.upper().removeprefix("SIG"), rest


def kill_by_name(view: View) -> Finding | None:
    """`pkill`, `killall`, `skill`."""
    texts = view.texts()
    if any(t in ("-l", "--list", "-V", "--version") for t in texts) or not texts:
        return None
    force = any(
        t.upper() in ("-9", "-KILL", "-SIGKILL", "--SIGNAL=KILL", "--SIGNAL=9") for t in texts
    )
    names = [t for t in texts if not t.startswith("-")]
    if any(re.search(r"hermes", t) for t in names):
        return ask("kill-agent", "It may end the agent itself.")
    if force or view.program != "pkill" or any(t in ("-u", "-U", "-v") for t in texts):
        return ask(key(f"{view.program}-force" if force else view.program, *names[:1]),
                   "It ends every process of that name.")  # fmt: skip
    return None


_INSTALLERS: dict[str, frozenset[str]] = {
    **dict.fromkeys(
        ("apt", "apt-get", "aptitude", "nala", "dnf", "yum", "zypper", "microdnf", "apk", "urpmi",
         "xbps-install"),
        frozenset(("install", "remove", "purge", "autoremove", "upgrade", "dist-upgrade",
                   "full-upgrade",
                   "reinstall", "erase", "add", "del", "dup", "downgrade", "groupinstall", "in",
                   "rm",
                   "swap", "history", "module", "fix", "distro-sync")),
    ),
    "brew": frozenset(("uninstall", "remove", "upgrade", "install", "reinstall")),
    "snap": frozenset(("install", "remove", "refresh", "revert")),
    "flatpak": frozenset(("install", "uninstall", "update")),
    "port": frozenset(("install", "uninstall")),
    "nixos-rebuild": frozenset(("switch", "boot", "test")),
    "home-manager": frozenset(("switch",)),
    "darwin-rebuild": frozenset(("switch",)),
    "rpm": frozenset(("-i", "-U", "-e", "-ivh", "-Uvh", "-F", "--install", "--erase", "--upgrade")),
    "dpkg": frozenset(("-i", "-r", "-P", "--install", "--remove", "--purge", "--force-all")),
    "gem": frozenset(("uninstall",)),
    "update-alternatives": frozenset(("--set", "--install", "--remove", "--config")),
}  # fmt: skip


def packages(view: View) -> Finding | None:
    """Packages for the whole machine. Those of a project (pip, npm, cargo) pass."""
    texts = view.texts()
    if view.program == "pacman":
        verb = next((t for t in texts if re.match(r"-(?:S|R|U|-sync|-remove|-upgrade)", t)), None)
        if verb and not re.fullmatch(r"-S[siglq]+", verb):
            return ask("packages:pacman", "It changes the machine's packages.")
        return None
    if view.program.startswith("pip"):
        if "--break-system-packages" in texts:
            return ask("packages:pip-system", "It changes the machine's own Python.")
        if texts[:1] == ["uninstall"]:
            return None
        return None
    if view.program in ("npm", "pnpm", "yarn"):
        if "publish" in texts[:1] or texts[:1] == ["unpublish"]:
            return ask(key("publish", view.program), "It publishes a package.")
        return None
    if any(t in ("-s", "--simulate", "--dry-run", "--just-print") for t in texts):
        return None
    verbs = _INSTALLERS[view.program]
    found = next((t for t in texts if t in verbs), None)
    return (
        ask(key("packages", view.program, found), "It changes the machine's packages.")
        if found
        else None
    )


def publish(view: View) -> Finding | None:
    """`twine upload`, `cargo publish`, `gem push`, `poetry publish`, `uv publish`."""
    verbs = ("upload", "publish", "push", "yank")
    verb = next((t for t in view.texts()[:2] if t in verbs), None)
    return ask(key("publish", view.program), "It publishes a package.") if verb else None


def schedule(view: View) -> Finding | None:
    """`crontab`, `at`."""
    if view.program == "crontab":
        if view.has("l") and not view.has("re"):
            return None
        if view.has("r"):
            return ask("crontab-remove", "It removes all scheduled jobs.")
        return ask("crontab", "It changes what runs on a schedule.")
    return ask("at", "It schedules a command for later.")


def accounts(view: View) -> Finding | None:
    """Users, groups, passwords, boot and kernel settings, firewall."""
    texts = view.texts()
    if view.program == "sysctl" and not any(
        t in ("-w", "-p", "--write", "--system") or "=" in t for t in texts
    ):
        return None
    if view.program == "iptables" and any(t in ("-L", "-S", "--list") for t in texts):
        return None
    if view.program in (
        "mount",
        "nft",
        "ufw",
        "swapon",
        "ip6tables",
        "firewall-cmd",
        "insmod",
        "modprobe",
    ):
        looks = ("-l", "--list", "list", "status", "--state", "--list-all", "--show")
        if not texts or any(t in looks for t in texts):
            return None
    if any(t in ("--help", "--version", "-h", "-V") for t in texts):
        return None
    return ask(key("system", view.program), "It changes users, the kernel, mounts or the firewall.")


def mac(view: View) -> Finding | None:
    """Security settings of macOS and SELinux."""
    return ask(key("security", view.program), "It changes the machine's security settings.")


RULES: dict[str, tuple[Rule, ...]] = {
    **dict.fromkeys(("sudo", "doas", "su", "pkexec", "run0", "runuser"), (become,)),
    **dict.fromkeys(("systemctl", "service", "rc-service", "rc-update", "launchctl", "sv", "s6-svc",
                     "initctl", "chkconfig"), (service,)),
    **dict.fromkeys(("shutdown", "reboot", "halt", "poweroff", "init", "telinit"), (power,)),
    "kill": (kill,),
    **dict.fromkeys(("pkill", "killall", "skill", "killall5", "slay"), (kill_by_name,)),
    **dict.fromkeys(("pacman", "yay", "paru"), (packages,)),
    **dict.fromkeys(("pip", "pip3", "npm", "pnpm", "yarn"), (packages,)),
    **dict.fromkeys(_INSTALLERS, (packages,)),
    **dict.fromkeys(("twine", "cargo", "poetry", "uv", "gem", "flit", "hatch"), (publish,)),
    **dict.fromkeys(("crontab", "at", "batch"), (schedule,)),
    **dict.fromkeys(("useradd", "userdel", "usermod", "adduser", "deluser", "groupadd", "groupdel",
                     "groupmod", "gpasswd", "passwd", "chpasswd", "visudo", "vipw", "chsh", "chfn",
                     "sysctl", "iptables", "ip6tables", "nft", "ufw", "firewall-cmd", "mount",
                     "umount",
                     "insmod", "rmmod", "modprobe", "grub-install", "update-grub", "efibootmgr",
                     "swapoff", "swapon", "chattr", "setcap", "losetup", "kexec", "loginctl-kill",
                     "update-initramfs", "timedatectl-set", "hostnamectl-set",
                     "userdbctl-set"), (accounts,)),
    **dict.fromkeys(("csrutil", "spctl", "setenforce", "aa-disable", "aa-teardown", "nvram",
                     "tccutil"), (mac,)),
}  # fmt: skip
