"""What secrets look like.

Everything is found by a literal first (`str.find` is fast, and ordinary text holds few of them);
only there is a pattern tried, and every pattern is linear in what it matches.
"""

import functools
import re

_B64 = "A-Za-z0-9_-"
_VALUE = r"A-Za-z0-9_.~+/=:%@!#^*-"


# Literals and forms of keys as their vendors document them.
PREFIXES: dict[str, str] = {
    "sk-": rf"[{_B64}]{{20,512}}",
    "k_live_": r"[A-Za-z0-9]{16,256}",
    "k_test_": r"[A-Za-z0-9]{16,256}",
    "ghp_": r"[A-Za-z0-9]{20,255}",
    "gho_": r"[A-Za-z0-9]{20,255}",
    "ghu_": r"[A-Za-z0-9]{20,255}",
    "ghs_": r"[A-Za-z0-9]{20,255}",
    "ghr_": r"[A-Za-z0-9]{20,255}",
    "github_pat_": r"[A-Za-z0-9_]{20,255}",
    "glpat-": rf"[.{_B64}]{{20,255}}",
    "gldt-": rf"[{_B64}]{{20,255}}",
    "glrt-": rf"[.{_B64}]{{20,255}}",
    "xox": r"[abeoprs]-[A-Za-z0-9-]{16,512}",
    "xapp-": r"\d-[A-Za-z0-9-]{16,512}",
    "AIza": rf"[{_B64}]{{35}}",
    "ya29.": rf"[.{_B64}]{{20,1024}}",
    "GOCSPX-": rf"[{_B64}]{{20,64}}",
    "AKIA": r"[A-Z0-9]{16}",
    "ASIA": r"[A-Z0-9]{16}",
    "hf_": r"[A-Za-z0-9]{20,255}",
    "gsk_": r"[A-Za-z0-9]{20,255}",
    "xai-": r"[A-Za-z0-9]{20,255}",
    "r8_": r"[A-Za-z0-9]{20,255}",
    "nvapi-": rf"[{_B64}]{{20,255}}",
    "tvly-": rf"[{_B64}]{{16,255}}",
    "fc-": r"[0-9a-f]{32}",
    "pplx-": r"[A-Za-z0-9]{20,255}",
    "npm_": r"[A-Za-z0-9]{36}",
    "pypi-AgE": rf"[{_B64}]{{50,512}}",
    "dop_v1_": r"[0-9a-f]{64}",
    "shpat_": r"[0-9a-fA-F]{32}",
    "SG.": rf"[{_B64}]{{16,64}}\.[{_B64}]{{16,64}}",
    "AGE-SECRET-KEY-1": r"[0-9A-Z]{58}",
    "hvs.": rf"[{_B64}]{{20,255}}",
    "lin_api_": r"[A-Za-z0-9]{32,64}",
    "syt_": rf"[{_B64}]{{20,255}}",
    "eyJ": rf"[{_B64}]{{10,8192}}\.eyJ[{_B64}]{{10,8192}}\.[{_B64}]{{8,2048}}",
}


@functools.cache
def whole(literal: str) -> re.Pattern[str]:
    """The pattern of a whole key from its literal on."""
    return re.compile(rf"{re.escape(literal)}{PREFIXES[literal]}(?![A-Za-z0-9])")


# Telegram: the digits before the colon belong to the token.
TELEGRAM = ":AA"
TELEGRAM_BEFORE = re.compile(r"(?<![0-9A-Za-z])(?:bot)?(\d{8,10})\Z")
TELEGRAM_AFTER = re.compile(rf":AA[{_B64}]{{33}}(?![{_B64}])")

PRIVATE_KEY = "-----BEGIN "
PRIVATE_KEY_TITLE = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}?PRIVATE KEY(?: BLOCK)?-----")
PRIVATE_KEY_BODY = re.compile(r"[A-Za-z0-9+/=\s\\:,.()_-]*")
PRIVATE_KEY_END = "-----END "

URL = "://"
# user:password@ of a URL, from the `://` on.
USER_INFO = re.compile(r"://[^\s:/@\"'<>`]{0,128}:(?P<s>[^\s/@\"'<>`]{1,256})@(?=[\w.\[-])")

BEARER = "bearer "
BEARER_VALUE = re.compile(rf"(?i)bearer {{1,4}}(?P<s>[{_VALUE}]{{12,8192}})")
HEADER = "authorization"
# After a scheme anything is a secret; without one, code may stand there (`authorization = …`).
HEADER_VALUE = re.compile(
    r"(?i)authorization[\"']?[ \t]{0,4}[:=][ \t]{0,4}[\"']?"
    r"(?:(?:bearer|basic|token|digest|bot|apikey|negotiate) {1,4}(?=\S)"
    r"|(?=[a-z_.~+/=-]{0,64}[0-9]))"
    rf"(?P<s>[{_VALUE}]{{8,8192}})"
)

# Names of secrets: the part by which a name is recognised, then the rest of it, then its value.
KEYWORDS = ("key", "token", "secret", "passw", "passphrase", "credential", "pwd")
NAME_CHARS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
NAMED = re.compile(
    r"(?i)(?P<w>key|token|secret|password|passwd|passphrase|credential|pwd)(?P<more>s?(?:[_-](?:id|key|value|b64|base64|prod|dev|test"
    r"|live|[0-9]{1,3})){0,2})(?P<close>\\?[\"']\]?)?"
    r"(?P<sep>[ \t]{0,8}(?::=|=>|[:=])[ \t]{0,8})(?P<open>\\?[\"'])?"
)
BARE_VALUE = re.compile(rf"[{_VALUE}]{{4,256}}")
QUOTED_VALUE = re.compile(r"[^\s\"'\\`<>]{4,256}")
# The rest of a value longer than that.
BARE_REST = re.compile(rf"[{_VALUE}]*")
QUOTED_REST = re.compile(r"[^\s\"'\\`<>]*")
# Words before `key` and `token` that make the name one of a secret.
SECRET_PREFIX = re.compile(
    r"(?:api|access|secret|private|auth|client|encryption|signing|session|refresh|bearer|bot|app|webhook"
    r"|master|service|account|admin|root|hass|aws|openai|anthropic|github|gitlab|slack|discord|telegram"
    r"|ssh|jwt|csrf|oauth|id|personal|security|deploy|registry|npm|hf|storage|license|x|goog|groq"
    r"|router|google|mistral|deepseek|tavily|fal|search|subscription)[_.-]?\Z",
    re.I,
)
NO_SECRET_PREFIX = re.compile(
    r"(?:primary|foreign|sort|cache|public|partition|hash|range|index|group|order|unique|map|dict"
    r"|hot|short|max|min|num|next|page|start|end|pad|eos|bos|unk|sep|routing|object|s3|dedup|idempotency)[_.-]?\Z",
    re.I,
)
ENVIRONMENT_NAME = re.compile(r"[A-Z0-9_]*\Z")
PHONE = re.compile(r"(?<![\w+.=/-])\+[1-9]\d{7,14}(?![\w.-])")
QUERY_BEFORE = re.compile(r"[?&][\w.-]{0,48}\Z")

_WORDS = re.compile(r"[A-Za-z_.-]+\Z")
_HASH = re.compile(
    r"(?:sha\d{1,3}[-:])?(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64}"
    r"|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\Z"
)
_DIGIT = re.compile(r"[0-9]")
_SYMBOL = re.compile(r"[!@#%^*+~]")
_PLACEHOLDERS = frozenset(
    ("string", "str", "text", "none", "null", "true", "false", "optional", "required", "undefined",
     "password", "secret", "token", "boolean", "number", "bytes", "value", "example", "default",
     "nil", "self", "disabled", "enabled")
)  # fmt: skip


def strength(word: str, before: str, *, environment: bool) -> str:
    """What a name says: `password`, `strong` (surely a secret) or `weak` (a bare key or token)."""
    word = word.lower()
    if word in ("password", "passwd", "passphrase", "pwd"):
        return "password"
    if word in ("secret", "credential"):
        return "strong"
    known = SECRET_PREFIX.search(before) or (
        environment and before and not NO_SECRET_PREFIX.search(before)
    )
    return "strong" if known else "weak"


def plausible(value: str, kind: str, *, quoted: bool, environment: bool) -> bool:
    """Whether what stands behind a secret's name is a secret and not code or prose."""
    if value.lower().strip(":") in _PLACEHOLDERS or value[0] in "$<{(%*.":
        return False
    digits = _DIGIT.search(value) is not None
    if kind == "weak":
        if _HASH.match(value) or "/" in value[:2] or ("." in value and not quoted):
            return False
        long = len(value) >= 20
        return long and digits and not value.isdigit() and value.count("/") < 3
    code = "." in value and _WORDS.match(value) is not None
    if kind == "password":
        if environment or quoted:
            return not code
        marked = digits or _SYMBOL.search(value) is not None
        return len(value) >= 6 and marked and not code
    if len(value) < 8 or code or value.startswith(("/", "./", "http:", "https:")):
        return False
    return digits or ((quoted or environment) and len(value) >= 16 and "_" not in value)
