"""The agent's own gate: no command of the agent may loosen it."""

import re

from hermes_agent.policy.rules.finding import Finding, Rule, View, ask, block, key

_GATE = "It would loosen the agent's own gate. Only a person may do that, in a terminal."
_KEYS = ("approvals", "security", "command_allowlist", "managed", "privacy", "terminal.backend",
         "mcp_servers", "budget", "gateway.allow", "hooks", "quick_commands", "allow")  # fmt: skip
_VARIABLES = ("HERMES_YOLO_MODE", "HERMES_HOME", "HERMES_MANAGED", "HERMES_WRITE_SAFE_ROOT",
              "HERMES_REDACT_SECRETS", "HERMES_EXEC_ASK", "HERMES_INTERACTIVE",
              "HERMES_TIMEZONE")  # fmt: skip
_READING = ("list", "view", "browse", "inspect", "check", "audit", "new")
_VALUED = ("-m", "--model", "--provider", "-t", "--toolsets", "-p", "--profile")


def hermes(view: View) -> Finding | None:
    """The `hermes` command, called by the agent itself."""
    texts = view.texts()
    if any(t in ("--yolo", "--dangerously-skip-approvals") for t in texts):
        return block("agent-gate:yolo", _GATE)
    if any(name in _VARIABLES for name, _ in view.command.assignments):
        return block("agent-gate:environment", _GATE)
    words = _subcommand(view)
    match words[:2]:
        case ["config", "set" | "unset"]:
            named = words[2].lower() if len(words) > 2 else ""
            secret = re.search(r"_(?:KEY|TOKEN|SECRET|PASSWORD)\Z|ALLOW", named, re.I)
            if named.startswith(_KEYS) or secret or not re.fullmatch(r"[\w.-]+", named):
                return block(key("agent-gate", "config", named), _GATE)
            return ask(key("agent-config", named), "It changes the agent's own configuration.")
        case ["config", "edit" | "migrate"] | ["setup" | "login" | "logout", *_]:
            return block(key("agent-gate", *words[:2]), _GATE)
        case ["pairing" | "auth" | "grants", *rest] if rest[:1] != ["list"]:
            return block(key("agent-gate", words[0]), _GATE)
        case ["plugins" | "hooks" | "mcp" | "tools", verb] if verb not in ("list", "show", "info"):
            return ask(key("agent-extend", words[0], verb), "It changes what the agent can do.")
        case ["skills", verb] if not _reads_skills(words[1:]):
            return ask(key("agent-extend", "skills", verb), "It changes what the agent can do.")
        case ["gateway", *rest] if rest[:1] not in (["status"], ["logs"]):
            return ask(key("agent-gateway", *rest), "It starts, stops or installs the gateway.")
        case ["cron", verb, *_] if verb not in ("list", "status"):
            return ask(key("agent-cron", verb), "It changes what runs when nobody is there.")
        case ["sessions", "delete" | "prune" | "rename" as verb]:
            return ask(key("agent-sessions", verb), "It changes past conversations.")
        case ["update" | "uninstall" | "deploy" | "migrate", *_]:
            return ask(key("agent-install", words[0]), "It changes the agent's installation.")
        case _:
            return None


def _reads_skills(words: list[str]) -> bool:
    return words[0] in _READING or words[:2] == ["snapshot", "export"]


def _subcommand(view: View) -> list[str]:
    found: list[str] = []
    skip = False
    for text in view.texts():
        if skip:
            skip = False
        elif text in _VALUED:
            skip = True
        elif not text.startswith("-"):
            found.append(text)
    return found


def exported(view: View) -> Finding | None:
    """Variables that move or disarm the agent, or that make programs load foreign code."""
    for name, _ in view.command.assignments:
        if name in ("HERMES_YOLO_MODE", "HERMES_MANAGED", "HERMES_WRITE_SAFE_ROOT"):
            return block("agent-gate:environment", _GATE)
        if name in ("LD_PRELOAD", "LD_AUDIT", "BASH_ENV", "ENV", "PROMPT_COMMAND",
                    "DYLD_INSERT_LIBRARIES",
                    "PYTHONSTARTUP", "GIT_SSH_COMMAND", "GIT_EXTERNAL_DIFF",
                    "SHELLOPTS"):  # fmt: skip
            return ask(key("environment", name), f"{name} makes other programs run foreign code.")
    return None


def module(view: View) -> Finding | None:
    """`python -m hermes_agent …` is the `hermes` command too."""
    texts = view.texts()
    for at, text in enumerate(texts[:-1]):
        if text == "-m" and texts[at + 1].split(".")[0] == "hermes_agent":
            rest = view.command.argv[at + 2 :]
            import msgspec

            return hermes(
                View(msgspec.structs.replace(view.command, argv=rest), view.place, view.script)
            )
    return None


RULES: dict[str, tuple[Rule, ...]] = {"hermes": (hermes,), "hermes-agent": (hermes,)}
