"""Containers that are no containers: privileged, or with the machine mounted."""

import re

from hermes_agent.policy.rules.finding import Finding, Rule, View, ask, key

_WIDE = re.compile(
    r"(?:/|/etc|/root|/home|/var|/usr|/boot|/dev|/proc|/sys|/run|/var/run"
    r"|(?:/var)?/run/(?:docker|containerd/containerd|podman/podman|crio/crio)\.sock)/?\Z"
)


_NAMESPACES = ("--pid", "--ipc", "--userns", "--uts", "--cgroupns")
_CAPABILITIES = ("ALL", "SYS_ADMIN", "SYS_PTRACE", "SYS_MODULE", "DAC_READ_SEARCH")


def run(view: View) -> Finding | None:
    """`docker run`, `podman run`, `create`; and what removes many at once."""
    texts = view.texts()
    joined = " ".join(t for t in texts if not t.startswith("-"))
    if re.match(r"(?:system|volume|image|container|network|builder) prune", joined):
        return ask(
            key("container-prune", view.program), "It removes containers, images or volumes."
        )
    if re.match(r"(?:volume|image) rm|volume remove|rmi?\b", joined) and (
        "volume" in joined or view.has("f")
    ):
        return ask(
            key("container-remove", view.program), "It removes containers or volumes by force."
        )
    if "down" in texts and any(t in ("-v", "--volumes") for t in texts):
        return ask("compose-down-volumes", "It removes the volumes with all that is in them.")
    if not any(t in ("run", "create", "exec", "compose") for t in texts[:3]):
        return None
    for at, text in enumerate(texts):
        option, _, value = text.partition("=")
        value = value or (texts[at + 1] if at + 1 < len(texts) else "")
        if option == "--privileged" and not text.endswith("=false"):
            return ask("container-privileged", "The container could do anything on this machine.")
        if option in _NAMESPACES and value == "host":
            return ask("container-host", "The container would share this machine's processes.")
        if option == "--cap-add" and value.upper().removeprefix("CAP_") in _CAPABILITIES:
            return ask("container-capability", "The container could do anything on this machine.")
        if option == "--security-opt" and "unconfined" in value:
            return ask("container-unconfined", "The container would run without its confinement.")
        if option == "--device" and value.startswith("/dev/"):
            return ask("container-device", "The container would get a device of this machine.")
        source = _mounted(text, option, value)
        if source is not None and (_WIDE.match(source) or source.rstrip("/") == view.place.home):
            return ask(
                key("container-mount", source), "The container could change this machine's files."
            )
    return None


def _mounted(text: str, option: str, value: str) -> str | None:
    if option in ("-v", "--volume"):
        return value.partition(":")[0]
    if text.startswith(("-v/", "-v~")):
        return text[2:].partition(":")[0]
    if option == "--mount":
        whole = text.partition("=")[2] if text.startswith("--mount=") else value
        hit = re.search(r"(?:source|src)=([^,]+)", whole)
        return hit[1] if hit else None
    return None


RULES: dict[str, tuple[Rule, ...]] = dict.fromkeys(
    ("docker", "podman", "nerdctl", "docker-compose", "podman-compose"), (run,)
)
