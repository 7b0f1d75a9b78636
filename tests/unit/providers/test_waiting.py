"""How long to wait, in all the ways in which vendors say it."""

import pytest

from hermes_agent.providers.waiting import retry_after, span

NOW = 1_800_000_000.0  # 2027-01-15T08:00:00Z


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0"}, 0),
        ({"retry-after": "Fri, 15 Jan 2027 08:00:30 GMT"}, 30),
        ({"retry-after": "Fri, 15 Jan 2027 07:00:00 GMT"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"x-ratelimit-reset-requests": "6m0s"}, 360),
        ({"x-ratelimit-reset-tokens": "250ms"}, 0.25),
        (
            {
                "x-ratelimit-reset-requests": "9s",
                "x-ratelimit-remaining-requests": "12",
                "x-ratelimit-reset-tokens": "2s",
                "x-ratelimit-remaining-tokens": "0",
            },
            2,
        ),
        ({"anthropic-ratelimit-requests-reset": "2027-01-15T08:00:12Z"}, 12),
        ({"x-ratelimit-reset": "1800000020000"}, 20),
        ({"x-ratelimit-reset": "1800000020"}, 20),
        ({"retry-after": "soon", "x-ratelimit-reset": "5"}, 5),
    ],
)
def test_the_wait_is_read(headers: dict[str, str], seconds: float | None):
    assert retry_after(headers, now=NOW) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "x", "1x", "-3", "1 s", "∞"])
def test_what_is_no_span_is_none(text: str):
    assert span(text) is None
