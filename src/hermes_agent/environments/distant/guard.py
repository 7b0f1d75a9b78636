"""Which paths of a distant place the file tools may touch."""

from collections.abc import Sequence
from posixpath import join, normpath

from hermes_agent.domain.errors import DeniedError
from hermes_agent.policy.protected import guarded, secret


class DistantGuard:
    """Judges paths twice: as they are named, before anything is done, and as they resolved over
    there (`judge`), before what was read is handed on and before anything is written.

    Another machine is judged like this one, `home` being the home directory there. In a container
    (`contained`) nothing is worth protecting but what is mounted from here: `mounts` are pairs of
    paths inside and outside, `homes` and `agents` what they are judged by.
    """

    def __init__(
        self,
        *,
        contained: bool,
        mounts: Sequence[tuple[str, str]] = (),
        homes: Sequence[str] = (),
        agents: Sequence[str] = (),
        write_root: str | None = None,
    ) -> None:
        self.home = "~"
        self._contained = contained
        self._mounts = sorted(mounts, key=lambda mount: -len(mount[0]))
        self._homes = homes
        self._agents = agents
        self._root = write_root

    def check_read(self, path: str, *, cwd: str | None = None) -> str:
        """The path as it was named. Raises `DeniedError`."""
        return self._check(path, cwd, writing=False)

    def check_write(self, path: str, *, cwd: str | None = None) -> str:
        """The path as it was named. Raises `DeniedError`."""
        return self._check(path, cwd, writing=True)

    def judge(self, resolved: str, *, writing: bool) -> None:
        """Raises `DeniedError` for a resolved path that tools must not touch."""
        reason = self._reason(resolved, writing=writing)
        if reason:
            raise DeniedError(
                f"{resolved} may not be {'written' if writing else 'read'}: {reason}.",
                hint="Ask the person to do it, or use another file.",
            )

    def _check(self, path: str, cwd: str | None, *, writing: bool) -> str:
        if not path or "\0" in path:
            raise DeniedError("A file needs a name.", hint="Give an absolute or a relative path.")
        whole = join(cwd, path) if cwd else path
        named = self.home + whole[1:] if whole == "~" or whole.startswith("~/") else whole
        # a path below links is judged when it is resolved
        self.judge(normpath(named), writing=writing and not self._root)
        return whole

    def _reason(self, path: str, *, writing: bool) -> str:
        if path == "/dev" or (path.startswith("/dev/") and not _inside(path, "/dev/shm")):  # noqa: S108 - only compared
            return "it is a device"
        if writing and self._root is not None and not _inside(path, self._root):
            return f"writing is confined to {self._root}"
        if not self._contained:
            return _protected(path, [self.home], [join(self.home, ".hermes")], writing=writing)
        for inside, outside in self._mounts:
            if _inside(path, inside):
                there = outside + path[len(inside.rstrip("/")) :]
                return _protected(there, self._homes, self._agents, writing=writing)
        return ""


def _protected(path: str, homes: Sequence[str], agents: Sequence[str], *, writing: bool) -> str:
    for home in homes:
        for agent in agents:
            if writing and guarded(path, home=home, hermes_home=agent) is not None:
                return "it decides about the agent, the login or the system"
            if not writing and secret(path, home=home, hermes_home=agent):
                return "it holds keys, tokens or passwords"
    return ""


def _inside(path: str, root: str) -> bool:
    return path == root or path.startswith(root.rstrip("/") + "/")
