"""Which names of environment variables and keys hold secrets."""

_KNOWN = {
    "ANTHROPIC_TOKEN",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "FAL_KEY",
    "GH_TOKEN",
    "GITHUB_TOKEN",
    "MODAL_TOKEN_ID",
    "MODAL_TOKEN_SECRET",
    "SUDO_PASSWORD",
    "TWILIO_ACCOUNT_SID",
    "VOICE_TOOLS_OPENAI_KEY",
    "API_SERVER_KEY",
}
_ENDINGS = ("_API_KEY", "_TOKEN", "_SECRET", "_PASSWORD", "_PASSPHRASE", "_CREDENTIALS")
_WORDS = ("key", "token", "secret", "password", "passwd", "authorization", "credential", "cookie")
_NOT_SECRET = ("_key_env", "record_key", "ssh_key")

ENV_FILE_PREFIXES = ("TERMINAL_SSH",)
"""Beginnings of further names that belong into `.env`, secret or not."""


def is_secret_variable(name: str) -> bool:
    """Whether an environment variable of this name holds a secret."""
    upper = name.upper()
    return upper in _KNOWN or upper.endswith(_ENDINGS)


def belongs_in_env_file(name: str) -> bool:
    """Whether `hermes config set NAME` writes to `.env`."""
    upper = name.upper()
    return "." not in name and (is_secret_variable(upper) or upper.startswith(ENV_FILE_PREFIXES))


def looks_secret(key: str) -> bool:
    """Whether a key inside a map of somebody else's (headers, env, extra) may hold a secret."""
    lower = key.lower()
    return not lower.endswith(_NOT_SECRET) and any(word in lower for word in _WORDS)


def masked(value: str) -> str:
    """First and last four characters; of a short value nothing."""
    return f"{value[:4]}…{value[-4:]}" if len(value) >= 18 else "***"
