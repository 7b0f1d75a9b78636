"""Figures for Prometheus, in its text format.

https://prometheus.io/docs/instrumenting/exposition_formats/ (version 0.0.4)
"""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


class Sample(msgspec.Struct, frozen=True):
    """One value. `suffix` names a part of a histogram or summary."""

    value: float
    labels: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
    suffix: Literal["", "_bucket", "_sum", "_count"] = ""


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """A figure under one name; that of a counter ends in `_total`."""

    name: str
    help: str
    kind: Literal["counter", "gauge", "histogram", "summary", "untyped"] = "gauge"
    samples: tuple[Sample, ...] = ()


def gauge(name: str, text: str, value: float) -> Metric:
    """A metric that goes up and down, without labels."""
    return Metric(name=name, help=text, samples=(Sample(value),))


def counter(name: str, text: str, value: float) -> Metric:
    """A metric that only grows, without labels."""
    return Metric(name=name, help=text, kind="counter", samples=(Sample(value),))


def render(metrics: Iterable[Metric]) -> bytes:
    """The page. Raises `ValueError` for a name that the format does not know."""
    lines: list[str] = []
    for metric in metrics:
        if not _NAME.fullmatch(metric.name):
            raise ValueError(f"{metric.name!r} is no name of a metric")
        lines.append(f"# HELP {metric.name} {_escaped(metric.help)}")
        lines.append(f"# TYPE {metric.name} {metric.kind}")
        lines += (
            f"{metric.name}{sample.suffix}{_labels(sample.labels)} {_number(sample.value)}"
            for sample in metric.samples
        )
    return ("\n".join(lines) + "\n").encode("utf-8", "replace") if lines else b""


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    for name in labels:
        if not _LABEL.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a label")
    told = (
        f'{name}="{_escaped(value).replace(chr(34), chr(92) + chr(34))}"'
        for name, value in labels.items()
    )
    return "{" + ",".join(told) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))
