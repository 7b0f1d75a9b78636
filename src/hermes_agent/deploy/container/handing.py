"""What root puts ready for the container before each start.

All of it lies in the runtime folder, which the container sees read-only: the first program, whom it
becomes, its words, the variables, the registry's entry, the credentials. So what changes from start
to start never shapes the container.
"""

import os
import shlex
import shutil
from functools import partial
from pathlib import Path

import msgspec

from hermes_agent.deploy.container import inner, links, sealing
from hermes_agent.deploy.container.defaults import defaults
from hermes_agent.deploy.places import Places
from hermes_agent.deploy.setup import account as accounts
from hermes_agent.deploy.setup import sources
from hermes_agent.deploy.setup.account import Account
from hermes_agent.deploy.setup.prepare import Prepared, prepare
from hermes_agent.deploy.spec import Specification

MOST_SECRET = 1024 * 1024
_ENTRYPOINT = Path(__file__).with_name("entrypoint.sh")


def hand_over(spec: Specification, places: Places) -> Prepared:
    """Set a container's deployment up. Raises `SetupFailed`, `ConfigError`."""
    account = accounts.resolve(spec)
    done = prepare(
        spec,
        places,
        links=links.in_state(spec),
        furnish=partial(furnish, spec, account, places.entry),
    )
    links.write_gc_root(spec)
    loose = sealing.seal(spec.state_dir, sealing.note(places))
    return (
        done if loose is None else msgspec.structs.replace(done, warnings=(*done.warnings, loose))
    )


def furnish(spec: Specification, account: Account, entry: Path, folder: Path) -> None:
    """Put all but the variables into the runtime folder, which nobody else sees yet."""
    shutil.copyfile(_ENTRYPOINT, folder / "entrypoint")
    (folder / "entrypoint").chmod(0o755)
    _write(folder / "identity", _identity(spec, account))
    _write(folder / "arguments", f"{shlex.join(spec.extra_args)}\n")
    homes = folder / "registry" / "homes"
    homes.mkdir(parents=True, mode=0o755)
    for made in (homes.parent, homes):
        made.chmod(0o755)
    _write(homes / f"{spec.name}.json", _entry(spec, entry))
    if spec.secrets:
        _credentials(spec, account, folder / "credentials")


def _identity(spec: Specification, account: Account) -> str:
    """Assignments for a shell."""
    container = spec.container
    packages = defaults().provision if container.provision is None else container.provision
    others = [str(gid) for gid in sorted(set(account.groups) - {account.gid})]
    said = {
        "uid": str(account.uid),
        "gid": str(account.gid),
        "user": account.user,
        "group": account.group,
        "groups": ",".join(others),
        "sudo": "yes" if container.sudo else "no",
        "workspace": inner.workspace(spec),
        "packages": " ".join(packages),
    }
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in said.items())


def _entry(spec: Specification, entry: Path) -> str:
    """The registry's entry as it is true inside."""
    raw = msgspec.json.decode(entry.read_bytes(), type=dict[str, object])
    raw |= {"home": inner.HERMES_HOME, "workspace": inner.workspace(spec), "program": ""}
    return msgspec.json.format(msgspec.json.encode(raw, order="sorted"), indent=2).decode() + "\n"


def _credentials(spec: Specification, account: Account, folder: Path) -> None:
    folder.mkdir(mode=0o700)
    for key, path in spec.secrets.items():
        data = sources.read(path, f"the secret {key}", MOST_SECRET)
        file = folder / f"settings.{key}"
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o400)
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            os.fchown(handle, account.uid, account.gid)
    os.chown(folder, account.uid, account.gid)
    folder.chmod(0o500)


def _write(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")
    path.chmod(0o644)
