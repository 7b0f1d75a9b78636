"""What is wrong with a specification is said with its place."""

import json
from typing import Any

import pytest

from hermes_agent.deploy.reading import WrongSpecification, encode, parse

RIGHT: dict[str, Any] = {"package": "/opt/hermes"}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"stateDri": "/x"}, "stateDri is not known; did you mean stateDir?"),
        ({"package": "hermes"}, "package: expected an absolute path"),
        ({"container": {"enabel": True}}, "container.enabel is not known; did you mean enable?"),
        ({"name": "A b"}, "name: expected a short name in lower case"),
        ({"user": "Root!"}, "user: expected the name of an account"),
        ({"stateDir": "/var"}, "must lie in a folder of its own"),
        ({"stateDir": "/var/lib/../lib/x"}, "is not a plain absolute path"),
        ({"documents": {"../x": {"text": ""}}}, "is not the name of a file inside"),
        ({"documents": {"x": {}}}, "documents.x: give either a text or a path"),
        ({"settings": {"agent": {"max_turns": "many"}}}, "agent.max_turns: expected a whole"),
        ({"secrets": {"a": "/var/lib/hermes/key"}}, "secrets.a: the agent can write to"),
        ({"secrets": {"a": "/k"}, "configFile": "/c"}, "with configFile use environmentFiles"),
        (
            {"container": {"enable": True}, "workingDirectory": "/srv/x"},
            'container.extraVolumes = [ "/srv/x:/srv/x:rw" ]',
        ),
        ({"container": {"enable": True, "extraVolumes": ["x"]}}, "'x' is not host:container"),
        ({"container": {"enable": True}, "scope": "user"}, "runs in native mode only"),
    ],
)
def test_a_wrong_value_is_named(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(WrongSpecification) as refused:
        parse(json.dumps({**RIGHT, **changes}), "agent.json")
    assert str(refused.value).startswith("agent.json:")
    assert sentence in str(refused.value)


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(WrongSpecification) as refused:
        parse(json.dumps({**RIGHT, "stateDir": "/x", "documents": {"/": {}}}))
    assert "stateDir" in str(refused.value)
    assert "documents" in str(refused.value)


def test_yaml_and_json_give_the_same_canonical_bytes() -> None:
    yaml = "package: /opt/hermes\nsettings: {model: {default: a/b}}\n"
    data = {**RIGHT, "settings": {"model": {"default": "a/b"}}}
    assert (
        encode(parse(yaml))
        == encode(parse(json.dumps(data)))
        == encode(parse(encode(parse(yaml)).decode()))
    )
