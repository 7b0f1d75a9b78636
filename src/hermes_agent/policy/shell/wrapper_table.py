"""Programs that run another command: how their own arguments end and that command begins."""

import msgspec

SHELLS = frozenset(
    ("sh", "bash", "zsh", "dash", "ash", "ksh", "mksh", "fish", "rbash", "yash", "csh", "tcsh")
)


class Wrapper(msgspec.Struct, frozen=True):
    """How a wrapper's own arguments end and the inner command begins.

    `valued`: options that take the next word. `skip`: operands of its own before the command.
    `assigns`: NAME=VALUE words come first. `text`: the words after are joined and read by a
    shell. `texts`: options whose value is shell text.
    """

    valued: tuple[str, ...] = ()
    skip: int = 0
    assigns: bool = False
    text: bool = False
    texts: tuple[str, ...] = ()
    inert: tuple[str, ...] = ()
    chdir: tuple[str, ...] = ()


_SUDO = ("-u", "-U", "-g", "-G", "-h", "-p", "-C", "-c", "-r", "-t", "-T", "-R", "--user",
         "--group",
         "--host", "--prompt", "--chroot", "--role", "--type", "--command-timeout", "--other-user",
         "--close-from")  # fmt: skip

WRAPPERS: dict[str, Wrapper] = {
    "env": Wrapper(("-u", "--unset", "-a", "--argv0"), assigns=True, chdir=("-C", "--chdir")),
    "sudo": Wrapper(_SUDO, assigns=True, chdir=("-D", "--chdir"), inert=("-l", "-v", "-k", "-K")),
    "doas": Wrapper(("-u", "-C"), inert=("-L",)),
    "run0": Wrapper(("-u", "--user", "-g", "--group", "--unit", "--property", "--setenv")),
    "pkexec": Wrapper(("-u", "--user")),
    "su": Wrapper(("-s", "-g", "-G", "-w", "--shell"), 1 << 10, texts=("-c", "--command")),
    "runuser": Wrapper(("-u", "-g", "-G", "-s"), texts=("-c", "--command")),
    "nohup": Wrapper(),
    "setsid": Wrapper(),
    "command": Wrapper(inert=("-v", "-V")),
    "builtin": Wrapper(),
    "exec": Wrapper(("-a",)),
    "coproc": Wrapper(),
    "nice": Wrapper(("-n", "--adjustment")),
    "ionice": Wrapper(("-c", "-n", "-p", "--class", "--classdata", "--pid")),
    "chrt": Wrapper(("-T", "-P", "-D"), 1),
    "taskset": Wrapper((), 1),
    "timeout": Wrapper(("-s", "--signal", "-k", "--kill-after"), 1),
    "time": Wrapper(("-f", "--format", "-o", "--output")),
    "stdbuf": Wrapper(("-i", "-o", "-e")),
    "unbuffer": Wrapper(),
    "strace": Wrapper(("-o", "-e", "-p", "-s", "-u", "-E", "-P", "-a", "-b", "-O", "-S")),
    "ltrace": Wrapper(("-o", "-e", "-p", "-s", "-u", "-a", "-n")),
    "watch": Wrapper(("-n", "--interval", "-q", "--equexit"), text=True),
    "xargs": Wrapper(
        (
            "-I",
            "-n",
            "-P",
            "-L",
            "-d",
            "-a",
            "-s",
            "-E",
            "--replace",
            "--max-args",
            "--max-procs",
            "--delimiter",
            "--arg-file",
            "--max-lines",
            "--max-chars",
        )
    ),
    "parallel": Wrapper(
        ("-j", "-n", "-a", "-N", "-L", "-I", "-S", "--jobs", "--arg-file"), text=True
    ),
    "ssh": Wrapper(
        (
            "-b",
            "-B",
            "-c",
            "-D",
            "-E",
            "-e",
            "-F",
            "-I",
            "-i",
            "-J",
            "-L",
            "-l",
            "-m",
            "-O",
            "-o",
            "-p",
            "-Q",
            "-R",
            "-S",
            "-W",
            "-w",
        ),
        1,
        text=True,
    ),
    "script": Wrapper(
        ("-E", "-I", "-O", "-B", "-T", "-o", "-m"), 1 << 10, texts=("-c", "--command")
    ),
    "flock": Wrapper(("-w", "--timeout", "-E"), 1, texts=("-c", "--command")),
    "unshare": Wrapper(("-R", "-w", "-S", "-G", "--root", "--wd", "--setuid", "--setgid")),
    "nsenter": Wrapper(("-t", "--target", "-S", "-G")),
    "chroot": Wrapper((), 1),
    "setpriv": Wrapper(("--reuid", "--regid", "--groups", "--inh-caps", "--bounding-set")),
    "systemd-run": Wrapper(
        (
            "-u",
            "--unit",
            "-p",
            "--property",
            "-E",
            "--setenv",
            "--uid",
            "--gid",
            "--slice",
            "-M",
            "--on-active",
            "--on-calendar",
            "--on-boot",
            "--on-unit-active",
            "--description",
            "--nice",
        )
    ),
    "systemd-inhibit": Wrapper(("--what", "--who", "--why", "--mode")),
    "busybox": Wrapper(),
    "toybox": Wrapper(),
    "dbus-run-session": Wrapper(),
    "dbus-launch": Wrapper(),
    "xvfb-run": Wrapper(("-n", "-s", "-e", "-f", "-w")),
    "caffeinate": Wrapper(("-t", "-w")),
    "arch": Wrapper(),
    "eatmydata": Wrapper(),
    "fakeroot": Wrapper(("-l", "-s", "-i", "-u")),
    "proxychains": Wrapper(("-f",)),
    "proxychains4": Wrapper(("-f",)),
    "torsocks": Wrapper(),
    "torify": Wrapper(),
    "direnv": Wrapper((), 2),
    "mise": Wrapper((), 1),
    "sg": Wrapper((), 1, texts=("-c",)),
    "bwrap": Wrapper(
        inert=("--version", "--help"),
    ),
}

# `uv run X`, `poetry run X`, …: the second word must be this for the rest to be a command.
RUNNERS: dict[str, tuple[str, ...]] = {
    "uv": ("run",),
    "poetry": ("run",),
    "pipenv": ("run",),
    "pdm": ("run",),
    "hatch": ("run",),
    "rye": ("run",),
    "conda": ("run",),
    "mamba": ("run",),
    "bundle": ("exec",),
    "npm": ("exec", "x"),
    "pnpm": ("exec",),
    "yarn": ("exec",),
    "direnv": ("exec",),
}
RUNNER_VALUED = (
    "--with", "--python", "-p", "--project", "--directory", "--extra", "--group", "--env-file",
    "-n", "--name", "--prefix", "--package", "--index-url",
)  # fmt: skip
