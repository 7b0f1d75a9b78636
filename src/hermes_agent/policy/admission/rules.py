"""What the configuration says about who may talk."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal, cast

import msgspec

from hermes_agent.config.keys import join, split
from hermes_agent.config.load import Loaded
from hermes_agent.domain.errors import ConfigError
from hermes_agent.policy.admission.people import GUEST_TOOLSETS, Role, person_id

_YES = ("1", "true", "yes", "on")

Behaviour = Literal["pair", "ignore"]


class PlatformRules(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of one platform.

    `allowed` None: there is no list; an empty one lets nobody in. `everyone` is the role of all
    others, None for strangers. `chats` None: any group; else only these, and private messages.
    The two rates count addressed messages of one person; 0 is no limit.
    """

    owners: frozenset[str] = frozenset()
    guests: frozenset[str] = frozenset()
    allowed: frozenset[str] | None = None
    everyone: Role | None = None
    chats: frozenset[str] | None = None
    strangers: Behaviour = "pair"
    per_minute: int = 20
    per_hour: int = 300
    guest_toolsets: tuple[str, ...] = GUEST_TOOLSETS


class AdmissionRules(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of all platforms. `allowed` and `everyone` are those of GATEWAY_…; `warnings`
    are sentences for the person who wrote the settings."""

    platforms: dict[str, PlatformRules] = msgspec.field(default_factory=dict[str, PlatformRules])
    allowed: frozenset[str] | None = None
    everyone: bool = False
    strangers: Behaviour = "pair"
    warnings: tuple[str, ...] = ()

    def of(self, platform: str) -> PlatformRules:
        """The rules of a platform; one that is configured nowhere has the plain ones."""
        return self.platforms.get(platform) or PlatformRules(strangers=self.strangers)

    def named(self) -> frozenset[tuple[str, str]] | None:
        """Platform ("" for any) and id of everyone on a list of users. None where somebody is
        named an owner, or people are let in whom no list names."""
        rules = self.platforms.values()
        if self.everyone or any(rule.owners or rule.everyone for rule in rules):
            return None
        found = {
            (platform, person)
            for platform, rule in self.platforms.items()
            for person in (rule.allowed or frozenset()) - rule.guests
        }
        twice = {person for _, person in found}
        return frozenset(found | {("", each) for each in (self.allowed or frozenset()) - twice})


def admission_rules(loaded: Loaded, platforms: Iterable[str]) -> AdmissionRules:
    """The rules for these platforms, from `platforms.<name>.extra` and the documented variables.

    A variable outranks the file, and a declaration of a managed home outranks both. Raises
    `ConfigError`.
    """
    reader = _Reader(loaded)
    rules = {platform: reader.platform(platform) for platform in platforms}
    return AdmissionRules(
        platforms=rules,
        allowed=reader.people("", "GATEWAY_ALLOWED_USERS", None),
        everyone=_yes(loaded.environ, "GATEWAY_ALLOW_ALL_USERS"),
        strangers=loaded.config.unauthorized_dm_behavior,
        warnings=tuple(reader.warnings),
    )


class _Reader:
    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self.warnings: list[str] = []

    def platform(self, platform: str) -> PlatformRules:
        section = self._loaded.config.platforms.get(platform)
        extra: Mapping[str, Any] = section.extra if section else {}
        prefix = platform.upper()
        where = f"platforms.{platform}.extra"

        def people(key: str, variable: str) -> frozenset[str] | None:
            return self.people(platform, f"{prefix}_{variable}", extra.get(key), f"{where}.{key}")

        return PlatformRules(
            owners=people("owners", "OWNERS") or frozenset(),
            guests=people("guests", "GUESTS") or frozenset(),
            allowed=people("allowed_users", "ALLOWED_USERS"),
            everyone=self._everyone(extra, where, f"{prefix}_ALLOW_ALL_USERS"),
            chats=people("allowed_chats", "ALLOWED_CHATS"),
            strangers=self._strangers(extra, where),
            per_minute=_count(extra, where, "messages_per_minute", 20),
            per_hour=_count(extra, where, "messages_per_hour", 300),
            guest_toolsets=tuple(
                _words(extra["guest_toolsets"], f"{where}.guest_toolsets")
                if "guest_toolsets" in extra
                else GUEST_TOOLSETS
            ),
        )

    def people(
        self, platform: str, variable: str, value: object, key: str = ""
    ) -> frozenset[str] | None:
        """A list of ids; None where nobody wrote one."""
        place = variable
        text = None if key and self._declared(key) else self._loaded.environ.get(variable)
        if text is not None:
            words = [word for word in re.split(r"[,\s]+", text) if word]
        elif value is None:
            return None
        else:
            place = key
            words = _words(value, key)
        if "*" in words:
            switch = f"{(platform or 'gateway').upper()}_ALLOW_ALL_USERS=true"
            self.warnings.append(f"{place}: * is nobody's id. To let everyone in: {switch}")
        if names := [word for word in words if word.startswith("@") and ":" not in word]:
            self.warnings.append(
                f"{place}: {', '.join(names)} is a name, and names can be taken by anyone; "
                "write the id (hermes pairing list shows who knocked)"
            )
        return frozenset(person_id(platform, word) for word in words if word != "*")

    def _everyone(self, extra: Mapping[str, Any], where: str, variable: str) -> Role | None:
        key = f"{where}.allow_all_users"
        if variable in self._loaded.environ and not self._declared(key):
            admitted = _yes(self._loaded.environ, variable)
        else:
            admitted = extra.get("allow_all_users", False)
            if not isinstance(admitted, bool):
                raise ConfigError(f"{key}: expected true or false, found {admitted!r}")
        role = extra.get("everyone", "user")
        if role not in ("user", "guest"):
            raise ConfigError(f"{where}.everyone: expected user or guest, found {role!r}")
        return cast("Role", role) if admitted else None

    def _strangers(self, extra: Mapping[str, Any], where: str) -> Behaviour:
        key = "unauthorized_dm_behavior"
        value = extra.get(key, self._loaded.config.unauthorized_dm_behavior)
        if value not in ("pair", "ignore"):
            raise ConfigError(f"{where}.{key}: expected pair or ignore, found {value!r}")
        return value

    def _declared(self, key: str) -> bool:
        path = split(key)
        above = (self._loaded.origins.get(join(path[:end])) for end in range(len(path), 0, -1))
        origin = next((each for each in above if each is not None), None)
        return origin is not None and origin.layer == "declaration"


def _yes(environ: Mapping[str, str], name: str) -> bool:
    return environ.get(name, "").strip().lower() in _YES


def _words(value: object, key: str) -> list[str]:
    if isinstance(value, str):
        return [word for word in re.split(r"[,\s]+", value) if word]
    if isinstance(value, list | tuple):
        items = cast("list[object]", value)
        if all(isinstance(item, str | int) and not isinstance(item, bool) for item in items):
            return [str(item).strip() for item in items]
    if isinstance(value, int) and not isinstance(value, bool):
        return [str(value)]
    raise ConfigError(f"{key}: expected a list of ids", hint="Such as: [12345, 67890]")


def _count(extra: Mapping[str, Any], where: str, key: str, default: int) -> int:
    value = extra.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ConfigError(f"{where}.{key}: expected a number of messages, found {value!r}")
    return value
