"""Reading a specification: what is wrong with it is said with its place and what would be right."""

import difflib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from hermes_agent.config import keys, reading
from hermes_agent.config.normalise import Normaliser
from hermes_agent.config.validate import convert as convert_settings
from hermes_agent.deploy.faults import Fault
from hermes_agent.deploy.spec import (
    AbsolutePath,
    Account,
    Container,
    Document,
    Hardening,
    Key,
    Name,
    Part,
    Specification,
    Variable,
)
from hermes_agent.domain.errors import ConfigError

MOST_BYTES = 8 * 1024 * 1024
_UNKNOWN = re.compile(r"Object contains unknown field `([^`]*)`(?: - at `([^`]*)`)?")
_AT = re.compile(r"^(.*?)(?: - at `(.*)`)?$")
_PARTS: Mapping[str, type[Part]] = {
    "$": Specification,
    "$.container": Container,
    "$.hardening": Hardening,
    "$.documents[...]": Document,
}


class WrongSpecification(ConfigError):
    """A specification that nothing can be made of. `faults` are those of its keys."""

    def __init__(
        self, message: str, *, hint: str | None = None, faults: tuple[Fault, ...] = ()
    ) -> None:
        super().__init__(message, hint=hint)
        self.faults = faults


def read(path: Path) -> Specification:
    """The specification in a file, checked. Raises `WrongSpecification`."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise WrongSpecification(
            f"Cannot read the specification {path}: {error.strerror}"
        ) from error
    if len(data) > MOST_BYTES:
        raise WrongSpecification(f"The specification {path} is longer than {MOST_BYTES} bytes")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise WrongSpecification(f"The specification {path} is not UTF-8 text") from error
    return parse(text, str(path))


def parse(text: str, source: str = "specification") -> Specification:
    """The specification in a JSON or YAML text. Raises `WrongSpecification`."""
    try:
        # JSON first: YAML 1.1 reads some JSON numbers and escapes in another way.
        raw = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raw = _yaml(text, source)
    try:
        spec = msgspec.convert(raw, Specification)
    except msgspec.ValidationError as error:
        raise _wrong(source, [_said(str(error))]) from error
    faults = list(_faults(spec))
    if faults:
        raise _wrong(source, faults)
    return spec


def _wrong(source: str, faults: list[Fault]) -> WrongSpecification:
    texts = [fault.text for fault in faults]
    message = "\n  ".join([f"{source}:", *texts]) if len(texts) > 1 else f"{source}: {texts[0]}"
    return WrongSpecification(message, faults=tuple(faults))


def encode(spec: Specification) -> bytes:
    """The canonical JSON: the same specification gives the same bytes, defaults included."""
    return msgspec.json.format(msgspec.json.encode(spec, order="sorted"), indent=2) + b"\n"


def faults_of_settings(settings: dict[str, Any]) -> list[Fault]:
    """What config.yaml's schema does not allow in declared settings."""
    # `${VARIABLE}` is filled in when the agent starts; here it stands for itself.
    converted = convert_settings(Normaliser({}).layer(settings))
    if not isinstance(converted, list):
        return []
    return [
        Fault(fault.text, keys.join(("settings", *map(str, fault.path)))) for fault in converted
    ]


def remarks_on_settings(settings: dict[str, Any]) -> list[Fault]:
    """What is allowed in declared settings, but has no effect or another name by now."""
    normaliser = Normaliser({})
    normaliser.layer(settings)
    return [Fault(remark.text, f"settings.{remark.key}") for remark in normaliser.remarks]


def _yaml(text: str, source: str) -> dict[str, Any]:
    try:
        document = reading.parse(text, source)
    except ConfigError as error:
        # Its hint is about config.yaml.
        raise WrongSpecification(
            error.message, hint="A specification is YAML or JSON; hermes deploy schema has the keys"
        ) from error
    if document.repeated:
        path = document.repeated[0]
        key, hint = keys.join(path), "Put all of it into one place."
        said = f"line {document.lines[path]}: {key} is given a second time"
        raise WrongSpecification(f"{source}, {said}", hint=hint, faults=(Fault(said, key, hint),))
    return document.data


def _said(error: str) -> Fault:
    unknown = _UNKNOWN.fullmatch(error)
    if unknown:
        name, at = unknown[1], unknown[2] or "$"
        part = _PARTS.get(at)
        known = part.__struct_encode_fields__ if part else ()
        near = difflib.get_close_matches(name, known, n=1)
        meant = f"; did you mean {near[0]}?" if near else ""
        path = _dotted(at, name)
        return Fault(f"{path} is not known{meant}", path)
    found = _AT.fullmatch(error)
    if found is None:
        return Fault(error)
    return Fault(_plainly(found[1]), _dotted(found[2] or "$") or None)


def _dotted(at: str, name: str = "") -> str:
    return ".".join(part for part in (at.removeprefix("$").lstrip("."), name) if part)


def _plainly(text: str) -> str:
    if "matching regex" not in text:
        return text[:1].lower() + text[1:]
    words = {
        AbsolutePath: "expected an absolute path",
        Name: "expected a short name in lower case (a-z, 0-9, -)",
        Account: "expected the name of an account (a-z, 0-9, _, -)",
        Variable: "expected the name of an environment variable",
        Key: "expected a dotted key of config.yaml",
    }
    for kind, said in words.items():
        if str(_pattern(kind)) in text or repr(_pattern(kind))[1:-1] in text:
            return said
    return text


def _pattern(kind: Any) -> str | None:
    for meta in kind.__metadata__:
        if isinstance(meta, msgspec.Meta) and meta.pattern:
            return meta.pattern
    return None


def _faults(spec: Specification) -> Iterator[Fault]:
    for key, path in (
        ("package", spec.package),
        ("stateDir", spec.state_dir),
        ("workingDirectory", spec.workspace),
        ("gcRoots", spec.gc_roots or "/x"),
    ):
        if not _straight(path):
            yield Fault(f"{path} is not a plain absolute path (no .., no //, no trailing /)", key)
    if str(PurePosixPath(spec.state_dir).parent) == "/":
        yield Fault(
            f"{spec.state_dir} must lie in a folder of its own, as /var/lib/hermes does", "stateDir"
        )
    for name, document in spec.documents.items():
        yield from _document_faults(name, document)
    for name, value in spec.environment.items():
        if "\0" in value:
            yield Fault("a variable cannot hold a NUL", f"environment.{name}")
    if spec.config_file is None:
        yield from faults_of_settings(spec.declared)
    for key, path in spec.secrets.items():
        # systemd reads these as root itself, whatever links the agent puts in the way.
        if path.startswith((f"{spec.state_dir}/", f"{spec.workspace}/")):
            said = f"the agent can write to {path}; keep the file elsewhere"
            yield Fault(said, f"secrets.{key}")
    if spec.config_file is not None and spec.secrets:
        yield Fault(
            "they belong to settings; with configFile use environmentFiles instead", "secrets"
        )
    if spec.container.enable:
        yield from _container_faults(spec)


def _document_faults(name: str, document: Document) -> Iterator[Fault]:
    if (document.text is None) == (document.path is None):
        yield Fault("give either a text or a path", f"documents.{name}")
    if not _straight(f"/{name}") or len(name) > 1000 or not name.isprintable():
        yield Fault(f"{name!r} is not the name of a file inside the working directory", "documents")


def _container_faults(spec: Specification) -> Iterator[Fault]:
    container = spec.container
    if spec.scope == "user":
        yield Fault("a person's own service runs in native mode only", "container.enable")
    mounted: list[str] = []
    for volume in container.extra_volumes:
        parts = volume.split(":")
        if len(parts) not in (2, 3) or not all(part.startswith("/") for part in parts[:2]):
            said = f"{volume!r} is not host:container or host:container:mode"
            yield Fault(said, "container.extraVolumes")
            continue
        mounted.append(parts[1].rstrip("/"))
    inside = f"{spec.workspace}/"
    if not inside.startswith(f"{spec.state_dir}/") and not any(
        inside.startswith(f"{place}/") for place in mounted
    ):
        yield Fault(
            f"{spec.workspace} does not exist in the container; mount it:"
            f' container.extraVolumes = [ "{spec.workspace}:{spec.workspace}:rw" ]',
            "workingDirectory",
        )


def _straight(path: str) -> bool:
    return (
        path.startswith("/")
        and len(path) > 1
        and str(PurePosixPath(path)) == path
        and not ({"..", "."} & set(path.split("/")))
    )
