"""What confines a native service, as its settings and its places need."""

from typing import Any

import msgspec
import pytest

from hermes_agent.deploy.native import hardening
from hermes_agent.deploy.spec import Hardening, Specification


def spec(**changes: Any) -> Specification:
    return Specification(package="/opt/hermes", **changes)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ("bubblewrap", "jit")),
        ({"terminal": {"backend": "local"}}, ("bubblewrap", "jit")),
        ({"terminal": {"backend": "bubblewrap"}}, ("bubblewrap", "jit")),
        ({"terminal": {"backend": "docker"}}, ()),
        ({"terminal": {"backend": "ssh"}, "mcp_servers": {"a": {"url": "https://x"}}}, ()),
        ({"terminal": {"backend": "ssh"}, "mcp_servers": {"a": {"command": "npx"}}}, ("jit",)),
        ({"toolsets": ["terminal", "file"]}, ("bubblewrap", "jit")),
        ({"toolsets": ["browser"]}, ("bubblewrap", "jit", "browser")),
        ({"toolsets": ["all"]}, ("bubblewrap", "jit", "browser")),
        ({"platform_toolsets": {"telegram": ["browser"]}}, ("bubblewrap", "jit", "browser")),
        ({"browser": {"headless": True}}, ("bubblewrap", "jit", "browser")),
        ({"terminal": "nonsense", "toolsets": 5, "mcp_servers": []}, ("bubblewrap", "jit")),
    ],
)
def test_only_what_the_settings_need_is_relaxed(
    settings: dict[str, Any], expected: tuple[str, ...]
) -> None:
    assert hardening.reasons(spec(), settings) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, (("/var/lib/hermes",), ())),
        ({"working_directory": "/var/lib/hermes/w"}, (("/var/lib/hermes",), ())),
        ({"working_directory": "/srv/w"}, (("/var/lib/hermes", "/srv/w"), ())),
        ({"working_directory": "/home/a/w"}, (("/var/lib/hermes",), ("/home/a/w",))),
        ({"state_dir": "/root/agent"}, ((), ("/root/agent",))),
        ({"state_dir": "/tmp/agent"}, ((), ("/tmp/agent",))),
        ({"state_dir": "/homes/agent"}, (("/homes/agent",), ())),
        ({"scope": "user"}, ((), ())),
        ({"hardening": Hardening(enable=False)}, ((), ())),
    ],
)
def test_the_state_and_the_working_directory_can_be_written(
    changes: dict[str, Any], expected: tuple[tuple[str, ...], tuple[str, ...]]
) -> None:
    assert hardening.writable(spec(**changes)) == expected


def test_a_home_directory_is_seen_through_where_the_agent_lives_in_one() -> None:
    assert hardening.directives(spec(), {})["ProtectHome"] is True
    found = hardening.directives(spec(state_dir="/home/a/agent"), {})
    assert found["ProtectHome"] == "tmpfs"
    found = hardening.directives(spec(state_dir="/tmp/agent"), {})
    assert found["ProtectHome"] is True


def test_the_settings_of_the_specification_have_the_last_word() -> None:
    loose = Hardening(settings={"PrivateTmp": False, "IPAddressDeny": "any"})
    found = hardening.directives(spec(hardening=loose), {})
    assert (found["PrivateTmp"], found["IPAddressDeny"]) == (False, "any")
    assert found["ProtectSystem"] == "strict"


def test_a_machine_without_user_namespaces_is_asked_for_none() -> None:
    found = hardening.directives(spec(), {}, user_namespaces=False)
    assert "PrivateUsers" not in found
    assert hardening.directives(spec(), {})["PrivateUsers"] is True


def test_without_hardening_the_umask_stays_for_it_belongs_to_the_modes() -> None:
    off = Hardening(enable=False, settings={"PrivateTmp": True})
    assert hardening.directives(spec(hardening=off), {}) == {"UMask": "0007"}
    assert hardening.directives(spec(hardening=off, scope="user"), {}) == {"UMask": "0077"}


def test_a_later_reason_allows_all_that_an_earlier_one_does() -> None:
    relax = hardening.table().relax
    bubblewrap, browser = relax["bubblewrap"], relax["browser"]
    for reason in (bubblewrap, browser):
        assert isinstance(reason["RestrictNamespaces"], str)
    wide, narrow = browser["RestrictNamespaces"], bubblewrap["RestrictNamespaces"]
    assert set(str(narrow).split()) < set(str(wide).split())
    assert relax["jit"].items() <= browser.items()


def test_the_umask_is_that_of_the_table_of_modes() -> None:
    from hermes_agent.deploy.setup.permissions import table

    known = hardening.table()
    assert int(str(known.native["UMask"]), 8) == table().umask
    assert int(str(known.user["UMask"]), 8) == table().for_one_person().umask


def test_what_is_relaxed_is_in_the_full_set_or_serves_bubblewrap() -> None:
    known = hardening.table()
    added = {"BindPaths", "TemporaryFileSystem"}
    for reason in known.relax.values():
        assert set(reason) <= {*known.native, *added}
    assert msgspec.to_builtins(known).keys() == {"native", "relax", "user"}
