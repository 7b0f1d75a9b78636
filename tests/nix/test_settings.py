"""How definitions of `settings` in several files come together."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hermes_agent.config import keys
from tests.nix.nix import HERE, ROOT, EvaluationFailed, Nix

Merge = Callable[..., Any]


@pytest.fixture
def merged(nix: Nix, nixpkgs: Path, tmp_path: Path) -> Merge:
    """The value of an option that these modules define, one file each."""

    def merge(*texts: str, option: str = "settings") -> Any:
        folder = tmp_path / "modules"
        folder.mkdir(exist_ok=True)
        for number, text in enumerate(texts, 1):
            body = f"services.hermes-agent.{option} = {text};"
            (folder / f"file{number}.nix").write_text(f"{{ lib, ... }}: {{ {body} }}")
        return nix.evaluate(HERE / "merge.nix", option, nixpkgs=nixpkgs, modules=folder)

    return merge


def test_maps_merge_deeply(merged: Merge) -> None:
    assert merged("{ a.b.c = 1; x = true; }", "{ a.b.d = 2; a.e = null; }") == {
        "a": {"b": {"c": 1, "d": 2}, "e": None},
        "x": True,
    }


def test_a_list_is_replaced_by_priority_and_never_joined(merged: Merge) -> None:
    assert merged('{ toolsets = [ "a" ]; }', '{ toolsets = lib.mkForce [ "b" ]; }') == {
        "toolsets": ["b"]
    }
    assert merged("{ free.list = lib.mkDefault [ 1 ]; }", "{ free.list = [ 2 3 ]; }") == {
        "free": {"list": [2, 3]}
    }


def test_priorities_count_at_any_depth(merged: Merge) -> None:
    assert merged(
        '{ model.default = lib.mkDefault "a/weak"; deep.er.value = lib.mkForce 1; }',
        '{ model.default = "b/normal"; deep.er.value = 2; }',
    ) == {"model": {"default": "b/normal"}, "deep": {"er": {"value": 1}}}


def test_a_forced_map_replaces_the_other_whole(merged: Merge) -> None:
    assert merged("{ a = { b = 1; c = 2; }; }", "{ a = lib.mkForce { d = 3; }; }") == {
        "a": {"d": 3}
    }


def test_conditions_and_lists_of_definitions_work_inside(merged: Merge) -> None:
    assert merged(
        """{ a.b = lib.mkIf false 1; c = lib.mkIf true { d = 2; };
             e = lib.mkMerge [ { f = 1; } { g = 2; } ]; }""",
    ) == {"a": {}, "c": {"d": 2}, "e": {"f": 1, "g": 2}}


def test_equal_definitions_are_no_conflict(merged: Merge) -> None:
    assert merged('{ m.n = "x"; l = [ 1 ]; }', '{ m.n = "x"; l = [ 1 ]; }') == {
        "m": {"n": "x"},
        "l": [1],
    }


@pytest.mark.parametrize(
    ("first", "second", "key"),
    [
        ('{ model.default = "a/one"; }', '{ model.default = "b/two"; }', "settings.model.default"),
        ("{ some.free.key = 1; }", "{ some.free.key = 2; }", "settings.some.free.key"),
        ('{ toolsets = [ "a" ]; }', '{ toolsets = [ "b" ]; }', "settings.toolsets"),
        ("{ a.b = 1; }", '{ a = "leaf"; }', "settings.a"),
        ("{ x = lib.mkForce 1; }", "{ x = lib.mkForce 2; }", "settings.x"),
    ],
)
def test_two_unequal_definitions_of_one_priority_name_both_files(
    merged: Merge, first: str, second: str, key: str
) -> None:
    with pytest.raises(EvaluationFailed) as failed:
        merged(first, second)
    said = str(failed.value)
    assert f"services.hermes-agent.{key}" in said
    assert "file1.nix" in said
    assert "file2.nix" in said


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("{ agent.max_turns = -1; }", "agent.max_turns"),
        ('{ agent.max_turns = "many"; }', "agent.max_turns"),
        ('{ approvals.mode = "never"; }', "approvals.mode"),
        ("{ approvals.mode = false; }", "approvals.mode"),
        ("{ compression.threshold = 1.5; }", "compression.threshold"),
        ('{ display.compact = "no"; }', "display.compact"),
        ('{ terminal.backend = "vm"; }', "terminal.backend"),
        ('{ toolsets = "all"; }', "toolsets"),
        ("{ toolsets = [ 1 ]; }", "toolsets"),
        ("{ model.default = 5; }", "model.default"),
        ("{ anything.at_all = x: x; }", "anything.at_all"),
        ("{ a.list = [ (x: x) ]; }", "a.list"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_with_key_and_file(
    merged: Merge, text: str, key: str
) -> None:
    with pytest.raises(EvaluationFailed) as failed:
        merged(text)
    said = str(failed.value)
    assert f"services.hermes-agent.settings.{key}" in said
    assert "file1.nix" in said


def test_a_model_may_be_given_as_a_name_alone(merged: Merge) -> None:
    assert merged('{ model = "a/b"; }') == {"model": "a/b"}


def test_secrets_have_the_shape_of_settings(merged: Merge) -> None:
    assert merged(
        '{ model.api_key = "/run/a"; }',
        '{ auxiliary.vision.api_key = "/run/b"; }',
        option="secrets",
    ) == {"model": {"api_key": "/run/a"}, "auxiliary": {"vision": {"api_key": "/run/b"}}}


@pytest.mark.parametrize("value", ["./key", '"relative"', "1", "null"])
def test_a_secret_is_an_absolute_path_written_as_a_string(merged: Merge, value: str) -> None:
    with pytest.raises(EvaluationFailed, match="path literal would be copied into the Nix store"):
        merged(f"{{ model.api_key = {value}; }}", option="secrets")


def test_every_declared_key_is_one_that_the_program_knows(nix: Nix, nixpkgs: Path) -> None:
    declared = nix.expression(
        f"""let
          lib = import {nixpkgs}/lib;
          below = prefix: tree: lib.concatLists (lib.mapAttrsToList (name: each:
            if lib.isOption each then [ (prefix + name) ]
            else below (prefix + name + ".") each) tree);
        in below "" (import {ROOT}/nix/known-settings.nix {{ inherit lib; }})"""
    )
    assert len(declared) > 15
    assert set(declared) <= set(keys.known())
