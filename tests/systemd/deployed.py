"""A deployment in the machine: applied by `hermes deploy apply`, with a model that obeys."""

import base64
import json
import shlex
from pathlib import Path
from typing import Any

from tests.systemd.machine import Machine, Ran

MODEL_PORT = 7272
MODELS = "obedient-*.service"
API_PORT = 8642
KEY = "the-key-of-the-api-server-0123456789"
SETTINGS: dict[str, Any] = {
    "model": {
        "provider": "custom",
        "base_url": f"http://127.0.0.1:{MODEL_PORT}/v1",
        "default": "none",
    },
    "approvals": {"mode": "off"},
}
HERE = Path(__file__).parent


class Deployed:
    """One deployment and what can be asked of it."""

    def __init__(self, machine: Machine, name: str = "hermes-agent") -> None:
        self.machine = machine
        self.name = name
        self.unit = f"{name}.service"
        self.declared: dict[str, Any] = {
            "package": "/opt/hermes",
            "settings": SETTINGS,
            "environment": {"API_SERVER_ENABLED": "true"},
            "environmentFiles": ["/etc/secrets/agent.env"],
            "restartSec": 1,
        }
        self._models = 0
        for program in ("asking.py", "obedient_model.py"):
            (machine.mnt / program).write_text((HERE / program).read_text())
        self._began = int(machine.sh("cp /mnt/asking.py /mnt/obedient_model.py /opt; date +%s%6N"))
        self.secrets(API_SERVER_KEY=KEY)

    def secrets(self, **values: str) -> None:
        """The environment file that only root can read."""
        self.secret("agent.env", "".join(f"{name}={value}\n" for name, value in values.items()))

    def secret(self, name: str, text: str) -> None:
        """A file in /etc/secrets; what it holds stands in no command line."""
        (self.machine.mnt / "secret").write_text(text)
        self.machine.sh(
            "install -d -m 700 /etc/secrets;"
            f" install -m 600 /mnt/secret /etc/secrets/{name}; rm /mnt/secret"
        )

    def write(self, **changes: Any) -> str:
        """The specification as a file; `changes` are for this time alone."""
        path = f"/root/{self.name}.json"
        self.machine.write(path, json.dumps({**self.declared, **changes}))
        return path

    def apply(self, *options: str, **changes: Any) -> Ran:
        """`hermes deploy apply`."""
        return self.machine.run("hermes", "deploy", "apply", *options, self.write(**changes))

    def start_model(self) -> None:
        # Always another name: a unit that stopped a moment ago may still be on its way out.
        self._models += 1
        name = f"obedient-{self._began}-{self._models}"
        self.machine.sh(
            f"systemctl stop '{MODELS}'; rm -f /mnt/seen; systemd-run -q --collect --unit={name}"
            f" python3 /opt/obedient_model.py {MODEL_PORT} /mnt/seen"
        )
        self.machine.wait(
            lambda: (
                self.machine.run("bash", "-c", f": < /dev/tcp/127.0.0.1/{MODEL_PORT}").status == 0
            ),
            "the model",
        )

    def say(self, words: str) -> str:
        """The agent's answer."""
        argv = ("python3", "/opt/asking.py", str(API_PORT), "/etc/secrets/agent.env", words)
        return self.machine.run(*argv).ok().strip()

    def do(self, command: str) -> str:
        """What the tool `terminal` gives the model for this command."""
        return self.use("terminal", command=command)

    def use(self, tool: str, **arguments: Any) -> str:
        """What a tool gives the model."""
        call = json.dumps([tool, arguments]).encode()
        return self.say(f"CALL:{base64.b64encode(call).decode()}")

    @property
    def pid(self) -> int:
        return int(self.machine.show(self.unit, "MainPID"))

    @property
    def active(self) -> str:
        return self.machine.show(self.unit, "ActiveState")

    def restart(self) -> None:
        self.machine.run("systemctl", "restart", self.unit).ok()

    def said(self) -> list[str]:
        """What the service's processes wrote into the journal since this was made."""
        return [
            entry["MESSAGE"]
            for entry in self.machine.journal(self.unit)
            if int(entry["__REALTIME_TIMESTAMP"]) >= self._began
        ]

    def drop_in(self, text: str) -> None:
        """Settings for [Service] beside the unit."""
        self.machine.write(f"/etc/systemd/system/{self.unit}.d/test.conf", f"[Service]\n{text}\n")
        self.machine.sh("systemctl daemon-reload")

    def clear(self) -> None:
        """Leave nothing behind."""
        self.machine.run("systemctl", "stop", self.unit, MODELS)
        self.machine.run("systemctl", "reset-failed", self.unit, MODELS)
        unit = shlex.quote(self.unit)
        self.machine.sh(
            f"rm -rf /etc/systemd/system/{unit} /etc/systemd/system/{unit}.d"
            f" /etc/systemd/system/*.wants/{unit} /etc/hermes-agent /var/lib/hermes-agent"
            " /run/hermes-agent /var/lib/hermes /etc/secrets /root/*.json; systemctl daemon-reload;"
            " userdel hermes 2>/dev/null || groupdel hermes 2>/dev/null || true"
        )
