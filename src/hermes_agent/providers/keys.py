"""Which key goes to which address. The host decides, so that no vendor gets another's key."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from hermes_agent.config.secret import Secret
from hermes_agent.domain.errors import ConfigError
from hermes_agent.providers.vendor import Vendor, vendors

_OPENAIS_OWN = ("sk-proj-", "sk-svcacct-", "sk-admin-")


def checked_url(url: str, *, where: str) -> str:
    """The address without a trailing slash. Raises `ConfigError` for one that two readers could
    read as two hosts, or that carries a secret."""
    bare = url.strip().rstrip("/")
    parts = urlsplit(bare)
    try:
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise ConfigError(
            f"{where} is no address of a server: {bare!r}.",
            hint="It looks like https://api.example.com/v1",
        )
    if parts.query or parts.fragment or any(c in "\\@#?" or c <= " " or c > "~" for c in bare):
        raise ConfigError(
            f"{where} may hold only scheme, host, port and path: {parts.scheme}://{parts.hostname}…",
            hint="Give the key as api_key or in a variable, never inside the address.",
        )
    return bare


def owner(url: str) -> Vendor | None:
    """The vendor whose host this is, encrypted or not."""
    host = (urlsplit(url).hostname or "").rstrip(".").lower()
    for vendor in vendors():
        if not vendor.local and any(host == own or host.endswith(f".{own}") for own in vendor.own):
            return vendor
    return None


def find_key(
    vendor: Vendor,
    base_url: str,
    environ: Mapping[str, str],
    *,
    paired: Vendor | None,
    logins: Mapping[str, Secret] | None = None,
) -> tuple[Secret | None, str]:
    """The key for this address and the variable that it came from.

    `vendor` was chosen; `paired` is the vendor whose variable named the address, if one did.
    A vendor's own host gets that vendor's keys alone, and none without TLS. Any other host gets
    the chosen vendor's, because address and vendor were chosen together. OPENAI_API_KEY stands
    for any compatible server's key, but not when it is recognisably OpenAI's own. A login, by the
    vendor's id, goes to that vendor's own host alone, and counts where no variable has a key.
    """
    host_owner = owner(base_url)
    if host_owner is not None:
        if urlsplit(base_url).scheme != "https":
            return None, ""
        key, name = _first(host_owner.keys, environ)
        login = (logins or {}).get(host_owner.id)
        return (login, "auth.json") if key is None and login is not None else (key, name)
    key, name = _first((paired or vendor).keys, environ)
    if key is None or name != "OPENAI_API_KEY":
        return key, name
    if paired is not None and "OPENAI_API_KEY" in paired.keys and paired.id == "openai":
        return key, name
    value = key.reveal()
    if value.startswith(_OPENAIS_OWN) or "T3BlbkFJ" in value:
        return None, ""
    return key, name


def _first(names: tuple[str, ...], environ: Mapping[str, str]) -> tuple[Secret | None, str]:
    for name in names:
        value = environ.get(name, "").strip()
        if value:
            return Secret(value), name
    return None, ""
