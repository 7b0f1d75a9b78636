"""Environment variables that set keys of config.yaml. Of two for one key, the first counts."""

from hermes_agent.config.secret_names import is_secret_variable

DEPLOY_FAULT = "HERMES_DEPLOY_FAULT"
"""What root's part of a deployed service's start found wrong with the configuration."""

_TASKS = ("vision", "web_extract", "approval")
_TASK_KEYS = ("provider", "model", "base_url", "api_key")
_TERMINAL = (
    "cwd",
    "timeout",
    "lifetime_seconds",
    "docker_image",
    "docker_forward_env",
    "docker_volumes",
    "docker_mount_cwd_to_workspace",
    "singularity_image",
    "modal_image",
    "daytona_image",
    "ssh_host",
    "ssh_user",
    "ssh_port",
    "ssh_key",
    "persistent_shell",
    "container_cpu",
    "container_memory",
    "container_disk",
    "container_persistent",
    "sandbox_dir",
)

VARIABLES: tuple[tuple[str, str], ...] = (
    ("HERMES_MODEL", "model.default"),
    ("LLM_MODEL", "model.default"),
    ("HERMES_INFERENCE_PROVIDER", "model.provider"),
    ("HERMES_MAX_ITERATIONS", "agent.max_turns"),
    ("HERMES_REASONING_EFFORT", "agent.reasoning_effort"),
    ("HERMES_EPHEMERAL_SYSTEM_PROMPT", "agent.system_prompt"),
    ("HERMES_PREFILL_MESSAGES_FILE", "prefill_messages_file"),
    ("HERMES_TIMEZONE", "timezone"),
    ("HERMES_TOOL_PROGRESS_MODE", "display.tool_progress"),
    ("HERMES_TOOL_PROGRESS", "display.tool_progress"),
    ("HERMES_BACKGROUND_NOTIFICATIONS", "display.background_process_notifications"),
    ("HERMES_HUMAN_DELAY_MODE", "human_delay.mode"),
    ("HERMES_HUMAN_DELAY_MIN_MS", "human_delay.min_ms"),
    ("HERMES_HUMAN_DELAY_MAX_MS", "human_delay.max_ms"),
    ("HERMES_REDACT_SECRETS", "security.redact_secrets"),
    ("TERMINAL_ENV", "terminal.backend"),
    *((f"TERMINAL_{key.upper()}", f"terminal.{key}") for key in _TERMINAL),
    ("TERMINAL_LOCAL_PERSISTENT", "terminal.persistent_shell"),
    ("TERMINAL_SSH_PERSISTENT", "terminal.persistent_shell"),
    ("SUDO_PASSWORD", "terminal.sudo_password"),
    ("BROWSER_INACTIVITY_TIMEOUT", "browser.inactivity_timeout"),
    ("STT_OPENAI_MODEL", "stt.openai.model"),
    ("SESSION_IDLE_MINUTES", "session_reset.idle_minutes"),
    ("SESSION_RESET_HOUR", "session_reset.at_hour"),
    ("TELEGRAM_REPLY_TO_MODE", "platforms.telegram.reply_to_mode"),
    ("DISCORD_REQUIRE_MENTION", "discord.require_mention"),
    ("DISCORD_FREE_RESPONSE_CHANNELS", "discord.free_response_channels"),
    ("DISCORD_AUTO_THREAD", "discord.auto_thread"),
    *(
        (f"AUXILIARY_{task.upper()}_{key.upper()}", f"auxiliary.{task}.{key}")
        for task in _TASKS
        for key in _TASK_KEYS
    ),
)
"""Variable and the dotted key that it sets; an empty variable sets nothing."""

SWITCHES: dict[str, tuple[str, str]] = {"HERMES_YOLO_MODE": ("approvals.mode", "off")}
"""Variables that, when they say yes, give a key one fixed value."""

NOT_IN_ENV_FILE = ("HERMES_HOME", "HERMES_DEV", "PATH", "CREDENTIALS_DIRECTORY")
"""Names that `.env` may not set: they decide which program runs on whose files, with what."""

NOT_IN_ENV_FILE_PREFIXES = ("HERMES_MANAGED", "LD_", "PYTHON")
"""Beginnings of further such names."""


DOORS = ("API_SERVER_KEY", "WEBHOOK_SECRET", "SUDO_PASSWORD")
"""Secrets that do not open somebody else's door for us but one of ours for somebody else."""


def credential_in_env_file(name: str) -> bool:
    """Whether `.env` may set this name where a declaration manages the home: it can add keys of
    services, and decide nothing. The agent's own user may write there."""
    return is_secret_variable(name) and name.upper() not in DOORS


def forbidden_in_env_file(name: str) -> bool:
    """Whether `.env` may not set this name."""
    return name in NOT_IN_ENV_FILE or name.startswith(NOT_IN_ENV_FILE_PREFIXES)
