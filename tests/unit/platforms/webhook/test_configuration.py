"""What webhooks are told, and what they do not put up with."""

from pathlib import Path
from typing import Any

import pytest

from hermes_agent.domain.errors import ConfigError
from hermes_agent.platforms.base import PlatformSettings
from hermes_agent.platforms.webhook.configuration import Configuration, configuration


def read(routes: Any, **values: Any) -> Configuration:
    return configuration(
        PlatformSettings(
            name="webhook", values=values, media_dir=Path("/"), extra={"routes": routes}
        )
    )


def test_it_listens_on_loopback_unless_told_otherwise() -> None:
    made = read({})
    assert (made.host, made.port, made.loopback) == ("127.0.0.1", 8644, True)


@pytest.mark.parametrize(
    ("route", "host", "complaint"),
    [
        ({}, "127.0.0.1", "no secret"),
        ({"secret": ""}, "127.0.0.1", "no secret"),
        ({"insecure": "yes"}, "127.0.0.1", "no secret"),
        ({"insecure": True}, "0.0.0.0", "not on loopback"),
        ({"insecure": True}, "192.0.2.1", "not on loopback"),
    ],
)
def test_a_route_that_anybody_could_call_is_refused(
    route: dict[str, Any], host: str, complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint) as refused:
        read({"x": route}, host=host)
    assert "routes.x" in refused.value.message
    assert refused.value.hint


def test_the_secret_of_all_routes_yields_to_that_of_one() -> None:
    made = read({"a": {}, "b": {"secret": "own"}}, secret="shared")
    secrets = {name: each.secret.reveal() for name, each in made.routes.items() if each.secret}
    assert secrets == {"a": "shared", "b": "own"}


@pytest.mark.parametrize(
    ("route", "where"),
    [
        ("text", "routes.x"),
        ({"prompt": ["a"]}, "routes.x.prompt"),
        ({"events": 7}, "routes.x.events"),
        ({"deliver": 7}, "routes.x.deliver"),
        ({"deliver_to": ["a"], "deliver": "telegram"}, "routes.x.deliver_to"),
        ({"rate_limit": 0}, "routes.x.rate_limit"),
        ({"rate_limit": True}, "routes.x.rate_limit"),
        ({"secret": " a"}, "routes.x.secret"),
        ({"secret": 7}, "routes.x.secret"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(route: object, where: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read({"x": route}, secret="shared")
    assert where in refused.value.message


@pytest.mark.parametrize("name", ["", "a/b", "ä", "-a", "a b", "a" * 65, "a:b", "../x"])
def test_a_name_that_is_no_path_is_refused(name: str) -> None:
    with pytest.raises(ConfigError):
        read({name: {"secret": "s"}})


@pytest.mark.parametrize(
    ("route", "deliver"),
    [
        ({}, "log"),
        ({"deliver": "telegram:1:2"}, "telegram:1:2"),
        ({"deliver": "telegram", "deliver_to": -100}, "telegram:-100"),
        ({"deliver": "telegram", "deliver_to": {"chat_id": 5, "thread_id": 6}}, "telegram:5:6"),
        ({"deliver": "discord"}, "discord"),
    ],
)
def test_the_ways_of_an_answer_have_one_form(route: dict[str, Any], deliver: str) -> None:
    assert read({"x": {"secret": "s", **route}}).routes["x"].deliver == deliver


def test_comments_on_github_need_a_token() -> None:
    with pytest.raises(ConfigError, match="token"):
        read({"x": {"secret": "s", "deliver": "github_comment"}})


@pytest.mark.parametrize("port", ["x", "-1", "65536", "80.5", "²"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(ConfigError, match="port"):
        read({}, port=port)


def test_secrets_do_not_show_themselves() -> None:
    made = read({"x": {"secret": "s3cr3t"}}, github_token="t0k3n")
    assert "s3cr3t" not in repr(made)
    assert "t0k3n" not in repr(made)
