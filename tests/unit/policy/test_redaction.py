"""Secrets are masked, everything else stays, whatever the pieces that it arrives in."""

import base64
import json
import uuid
from itertools import pairwise
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hermes_agent.policy.redaction import RedactingStream, Redactor, is_masked, mask

KNOWN = ("correct-horse-battery-staple", 'odd "value" with\\signs/+', "tiny99")
SAMPLES = {
    "openai": "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789",
    "anthropic": "sk-ant-api03-abcdefghijklmnopqrstuvwxyz",
    "github": "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "github-fine": "github_pat_11ABCDEFG0abcdefghijklmnopqrstuvwx",
    "gitlab": "glpat-abcdefghijklmnopqrst",
    "slack": "xoxb-123456789012-abcdefghijklmnop",
    "google": "AIzaSyA1234567890abcdefghijklmnopqrstuv",
    "aws": "AKIAIOSFODNN7EXAMPLE",
    "huggingface": "hf_abcdefghijklmnopqrstuvwxyz",
    "stripe": "sk_live_abcdefghijklmnop1234",
    "telegram": "123456789:AAabcdefghijklmnopqrstuvwxyz0123456",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
    "bearer": "Authorization: Bearer 0123456789abcdefghijkl",
    "basic": "authorization: Basic dXNlcjpwYXNzd29yZDEyMw==",
    "header": 'curl -H "X-Api-Key: abcdef0123456789"',
    "env": "OPENROUTER_API_KEY=abcdef1234567890",
    "export": "export GH_TOKEN='abcdef1234567890'",
    "password": "DB_PASSWORD=hunter2x",
    "json": '{"client_secret": "abcd1234efgh"}',
    "escaped json": '{\\"api_key\\": \\"abcd1234efgh\\"}',
    "yaml": "  password: s3cr3tpw\n",
    "toml": 'api_key = "abcd1234efgh5678"',
    "dsn": "postgres://user:pa55word@db.example.org/x",
    "query": "https://example.org/?a=1&api_key=abcdef123456&b=2",
    "key block": (
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEabc\ndef0123\n-----END RSA PRIVATE KEY-----\n"
    ),
}
SECRETS = {
    "bearer": "0123456789abcdefghijkl",
    "basic": "dXNlcjpwYXNzd29yZDEyMw==",
    "header": "abcdef0123456789",
    "env": "abcdef1234567890",
    "export": "abcdef1234567890",
    "password": "hunter2x",
    "json": "abcd1234efgh",
    "escaped json": "abcd1234efgh",
    "yaml": "s3cr3tpw",
    "toml": "abcd1234efgh5678",
    "dsn": "pa55word",
    "query": "abcdef123456",
    "key block": "def0123",
}
HARMLESS = (
    str(uuid.UUID(int=1 << 100)),
    "commit 8d5c1f0b2a7e3f4d5c6b7a8f9e0d1c2b3a4f5e6d",
    "sha256:" + "ab12" * 16,
    "key: " + "ab12" * 16,
    "data:image/png;base64," + base64.b64encode(bytes(range(256)) * 20).decode(),
    "def f(token: str | None = None) -> str: return self.token",
    "api_key = os.environ['OPENAI_API_KEY']",
    "password = getpass.getpass('Password: ')",
    'password = request.form["password"]',
    "API_KEY=$OTHER_KEY",
    "TOKEN=${TOKEN:-none}",
    "MAX_TOKENS=4096",
    '{"max_tokens": 4096, "total_tokens": 123456}',
    'primary_key="user_identifier_1"',
    '{"key": "value", "token": "eof"}',
    "SORT_KEY=created_at_2024_x",
    "for key in sorted(mapping): print(key)",
    "https://example.org:8080/path@2x.png",
    "git@github.com:owner/name.git",
    "monkey = 'banana123banana'",
    "the secret: of good code is names",
    "keyboard=us",
    "PRIVATE KEY blocks begin with -----BEGIN RSA PRIVATE KEY----- as you know",
    "tokens: 12345",
    "risk-free and task-based sk-learn",
    "12:34:56 AA",
    "authorization = base64.decodebytes(authorization).decode()",
    "authorization = authorization[1].encode(x)",
)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_secret_is_masked_where_it_stands(name: str) -> None:
    sample = SAMPLES[name]
    shown = Redactor().text(f"before {sample} after" if name != "yaml" else "before\n" + sample)
    assert SECRETS.get(name, sample) not in shown
    assert shown.startswith("before")


@pytest.mark.parametrize("text", HARMLESS)
def test_ordinary_text_and_code_stay_as_they_are(text: str) -> None:
    assert Redactor().text(text) == text


@pytest.mark.parametrize("secret", KNOWN)
def test_a_known_value_is_masked_in_every_encoding(secret: str) -> None:
    redactor = Redactor(KNOWN)
    encodings = [secret, quote(secret), quote(secret, safe=""), json.dumps(secret)]
    if len(secret) > 8:
        for before in ("", "x", "xy", "user:"):
            coded = base64.b64encode((before + secret + "tail").encode()).decode()
            assert "***" in redactor.text(f"Basic-ish {coded} end")
        encodings.append(secret.encode().hex())
    for form in encodings:
        assert form.strip('"') not in redactor.text(f"<{form}>")


def test_long_secrets_keep_their_ends_and_short_ones_nothing() -> None:
    assert mask("a" * 17) == "***"
    assert mask("abcdefghijklmnopqr") == "abcdef...opqr"


@pytest.mark.parametrize("name", SAMPLES)
def test_masked_text_is_not_masked_again(name: str) -> None:
    redactor = Redactor()
    once = redactor.text(SAMPLES[name])
    assert redactor.text(once) == once


def test_a_masked_value_is_known_as_such() -> None:
    assert is_masked(mask("abcdefghijklmnopqrstuv"))
    assert is_masked(mask("short"))
    assert not is_masked("sk-proj-abcdefghijkl")


def test_telephone_numbers_are_masked_only_on_request() -> None:
    text = "call +491701234567 now, 2+2=4"
    assert Redactor().text(text) == text
    assert Redactor(phones=True).text(text) == "call *** now, 2+2=4"


@given(st.text())
def test_no_text_makes_redaction_fail_and_a_second_time_changes_nothing(text: str) -> None:
    redactor = Redactor(KNOWN)
    once = redactor.text(text)
    assert redactor.text(once) == once


def _pieces(text: str, cuts: list[int]) -> list[str]:
    edges = [0, *sorted(c % (len(text) + 1) for c in cuts), len(text)]
    return [text[a:b] for a, b in pairwise(edges)]


def _streamed(redactor: Redactor, pieces: list[str]) -> str:
    stream = RedactingStream(redactor)
    return "".join([*(stream.push(p) for p in pieces), stream.flush()])


@given(
    st.lists(
        st.sampled_from([*SAMPLES.values(), *HARMLESS, *KNOWN, " ", "\n", "the end. "]), max_size=5
    ),
    st.sampled_from((" ", "\n", ", ")),
    st.lists(st.integers(min_value=0, max_value=10_000), max_size=12),
)
@example(
    ["PRIVATE KEY blocks begin with -----BEGIN RSA PRIVATE KEY----- as you know"] * 2, " ", [90]
)
@settings(max_examples=400, deadline=None)
def test_a_stream_shows_what_redacting_the_whole_shows(
    parts: list[str], glue: str, cuts: list[int]
) -> None:
    text = glue.join(parts)
    redactor = Redactor(KNOWN)
    assert _streamed(redactor, _pieces(text, cuts)) == redactor.text(text)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_secret_that_arrives_letter_by_letter_is_never_shown(name: str) -> None:
    text = f"before {SAMPLES[name]} after" if name != "yaml" else "a\n" + SAMPLES[name] + "b"
    redactor = Redactor(KNOWN)
    assert _streamed(redactor, list(text)) == redactor.text(text)


def test_a_stream_of_prose_is_held_back_by_a_few_letters_at_most() -> None:
    stream = RedactingStream(Redactor(KNOWN))
    text = "The largest file under this folder is video.mp4, with 1,234 bytes. Shall I go on? " * 20
    shown = longest = 0
    for at, char in enumerate(text):
        shown += len(stream.push(char))
        longest = max(longest, at + 1 - shown)
    assert longest <= 12


def test_a_key_block_longer_than_any_buffer_is_swallowed_whole() -> None:
    body = "QUJD" * 16 + "\n"
    text = "-----BEGIN PRIVATE KEY-----\n" + body * 2000 + "-----END PRIVATE KEY-----\ndone"
    shown = _streamed(Redactor(), _pieces(text, list(range(0, len(text), 4096))))
    assert "QUJD" not in shown
    assert shown.endswith("done")


@pytest.mark.parametrize(
    "piece",
    ["token=sk-", '"key": "', "-----BEGIN PRIVATE KEY-----", "a", "eyJ", "eyJaaaaaaaaaaaa.", "://a:",
     "bearer ", "12345678:AA", "KEY=", "password ", "authorization:", "sk-a", "api_key=a1&", "=",
     "-"],
)  # fmt: skip
@pytest.mark.timeout(60)  # quadratic time would be hours
def test_megabytes_are_redacted_in_bounded_time(piece: str) -> None:
    text = f"{piece * (3_000_000 // len(piece))}\n{KNOWN[0]}\n"
    assert KNOWN[0] not in Redactor(KNOWN).text(text)
