"""Who wrote it, and who says so."""

import pytest

from hermes_agent.platforms.email.addresses import is_address, sender
from hermes_agent.platforms.email.authenticity import vouched

ANNA = "anna@example.org"


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("anna@example.org", ("", ANNA)),
        ("Anna <ANNA@Example.org>", ("Anna", ANNA)),
        ('"Meyer, Anna" <anna@example.org>', ("Meyer, Anna", ANNA)),
        ("anna@example.org (Anna)", ("", ANNA)),
        ('"boss@example.org" <anna@example.org>', ("boss@example.org", ANNA)),
        ("=?utf-8?q?Anna?=\r\n <anna@example.org>", ("=?utf-8?q?Anna?=", ANNA)),
    ],
)
def test_the_author_is_the_one_address_of_from(field: str, expected: tuple[str, str]) -> None:
    assert sender([field]) == expected


@pytest.mark.parametrize(
    "field",
    [
        "",
        "Anna",
        "anna@example.org, bert@example.org",
        "<anna@example.org> <bert@example.org>",
        "anna@example.org <bert@example.org>",
        "anna@example.org)bert@example.org",
        "anna@example.org (<bert@example.org>",
        '"anna@example.org <bert@example.org>',
        "<anna@example.org>bert@example.org",
        "friends: anna@example.org;",
        "<@route:anna@example.org>",
        "<anna@example.org\x00>",
        "<anna@exämple.org>",
        "<a b@example.org>",
        "x" * 3000 + " <anna@example.org>",
    ],
)
def test_a_from_that_can_be_read_in_two_ways_names_nobody(field: str) -> None:
    assert sender([field]) is None


def test_two_from_headers_name_nobody() -> None:
    assert sender([ANNA, ANNA]) is None


@pytest.mark.parametrize(
    "text", ["", "a@", "@b", "a@b@c", "a@b\r\nBcc: c@d", "a b@c", "a@-b", "a,b@c", "a@b>", "<a@b>"]
)
def test_what_is_no_plain_address_is_never_written_to(text: str) -> None:
    assert not is_address(text)


@pytest.mark.parametrize(
    "field",
    [
        "mx.test; dmarc=pass header.from=example.org",
        "mx.test 1; spf=fail; dmarc=pass (p=NONE; dis=NONE) header.from=example.org",
        "MX.TEST;\r\n\tDMARC = Pass (a (nested) comment) header.from=Example.org",
        "mx.test; dkim=fail header.d=evil.test; dkim=pass header.i=@x header.d=example.org",
        'mx.test; dmarc=pass reason="all; fine" header.from=example.org',
        "mx.test; dkim=pass header.i=@example.org header.s=a header.b=xY; dmarc=none",
        "mx.test; spf=pass (mx.test: domain of anna@example.org) smtp.mailfrom=anna@example.org",
        "mx.test; spf=pass smtp.mailfrom=example.org; dkim=none",
        "mx.test; auth=pass (plain) smtp.auth=Anna@example.org",
    ],
)
def test_a_pass_of_the_trusted_server_for_the_same_domain_vouches(field: str) -> None:
    assert vouched([field], "mx.test", ANNA)


@pytest.mark.parametrize(
    "field",
    [
        "",
        "mx.test",
        "mx.test; none",
        "mx.test; dmarc=fail header.from=example.org",
        "mx.test; dmarc=pass header.from=evil.test",
        "mx.test; dmarc=pass",
        "mx.test; dmarc=pass header.from=example.org header.from=evil.test",
        "mx.test; dkim=pass header.d=evil.test",
        "mx.test; dkim=pass header.d=org",
        "mx.test; spf=pass smtp.mailfrom=anna@evil.test",
        "mx.test; spf=pass smtp.helo=example.org",
        "mx.test; spf=softfail smtp.mailfrom=anna@example.org",
        "mx.test; spf=pass smtp.mailfrom=anna@example.org@evil.test",
        'mx.test; spf=pass smtp.mailfrom="smtp.mailfrom=anna@example.org"@evil.test',
        "mx.test; spf=pass smtp.mailfrom=x@evil.test smtp.mailfrom=anna@example.org",
        "mx.test; dkim=pass header.i=@evil.test header.d=evil.test header.i=@example.org",
        "mx.test; dkim=pass header.i=anna@example.org@evil.test",
        "mx.test; spf=pass smtp.mailfrom=anna@example.org; dmarc=fail header.from=example.org",
        "mx.test; dmarc=pass header.from=example.org; dmarc=none header.from=example.org",
        "mx.test; auth=pass smtp.auth=bert@example.org",
        "mx.test; auth=pass smtp.auth=example.org",
        "mx.test.evil.test; dmarc=pass header.from=example.org",
        "evil.test; mx.test; dmarc=pass header.from=example.org",
        "mx.test; (dmarc=pass header.from=example.org)",
        'mx.test; dmarc=fail reason="; dmarc=pass header.from=example.org"',
        'mx.test; dmarc=fail reason="\\"; dmarc=pass header.from=example.org"',
        "mx.test; dmarc=fail (); x=pass (dmarc=pass header.from=example.org",
        "mx.test; dmarc=passive header.from=example.org",
        "mx.test; x-dmarc=pass header.from=example.org",
        "mx.test; dmarc=pass " + " " * 30_000 + "header.from=example.org",
    ],
)
def test_anything_else_vouches_for_nobody(field: str) -> None:
    assert not vouched([field], "mx.test", ANNA)


def test_only_the_topmost_headers_of_the_server_count() -> None:
    good, bad = (f"mx.test; dmarc={each} header.from=example.org" for each in ("pass", "fail"))
    other = "relay.test; arc=pass"
    assert vouched([other, good], "mx.test", ANNA)
    assert vouched(["mx.test; spf=pass", good], "mx.test", ANNA)
    assert not vouched([bad, other, good], "mx.test", ANNA)


def test_a_forged_pass_below_the_servers_own_fail_does_not_count() -> None:
    good, bad = (f"mx.test; dmarc={each} header.from=example.org" for each in ("pass", "fail"))
    assert not vouched([bad, good], "mx.test", ANNA)
    assert not vouched([good, bad], "mx.test", ANNA)
