"""Prometheus' own parser reads back what was written."""

import math

import pytest
from prometheus_client.parser import text_string_to_metric_families

from hermes_agent.api.metrics import Metric, Sample, counter, gauge, render

NASTY = ['a"b', "a\\b", "a\nb", "\\n", "ü 😀", "", "{}=,", "\\"]


def read_back(*metrics: Metric) -> dict[str, list[tuple[dict[str, str], float]]]:
    families = text_string_to_metric_families(render(metrics).decode())
    return {
        sample.name: [
            (each.labels, each.value) for each in family.samples if each.name == sample.name
        ]
        for family in families
        for sample in family.samples
    }


@pytest.mark.parametrize("text", NASTY)
def test_any_text_can_be_a_label_and_a_help(text: str) -> None:
    metric = Metric(name="m", help=text, samples=(Sample(1, {"l": text, "k": "v"}),))
    (family,) = text_string_to_metric_families(render([metric]).decode())
    assert family.samples[0].labels == {"l": text, "k": "v"}
    assert family.documentation == text.strip() or family.documentation == text


@pytest.mark.parametrize("value", [0, 1, -1, 0.1, 1e-9, 1e300, 2**60, math.inf, -math.inf])
def test_any_number_can_be_a_value(value: float) -> None:
    assert read_back(gauge("g", "", value))["g"] == [({}, float(value))]


def test_not_a_number_is_told_as_such() -> None:
    ((_, value),) = read_back(gauge("g", "", math.nan))["g"]
    assert math.isnan(value)


def test_counters_and_histograms_keep_their_kind() -> None:
    histogram = Metric(
        name="h",
        help="h",
        kind="histogram",
        samples=(
            Sample(1, {"le": "0.1"}, "_bucket"),
            Sample(2, {"le": "+Inf"}, "_bucket"),
            Sample(0.3, suffix="_sum"),
            Sample(2, suffix="_count"),
        ),
    )
    page = render([counter("c_total", "c", 3), histogram]).decode()
    kinds = {family.name: family.type for family in text_string_to_metric_families(page)}
    assert kinds == {"c": "counter", "h": "histogram"}
    assert page.endswith("\n")


@pytest.mark.parametrize("name", ["", "1a", "a-b", "a b", 'a"', "ä"])
def test_bad_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no name of a metric"):
        render([gauge(name, "", 1)])
    with pytest.raises(ValueError, match="no name of a label"):
        render([Metric(name="m", help="", samples=(Sample(1, {name: "x"}),))])


def test_no_metrics_are_an_empty_page() -> None:
    assert render([]) == b""
