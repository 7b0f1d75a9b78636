"""What a declared home says of itself: who manages it, what is declared, never a secret."""

import json

from tests.acceptance.declaring import declare
from tests.acceptance.hermes import Hermes

SECRET = "tok-0123456789-secret-9876543210"
SETTINGS = {
    "agent": {"max_turns": 12},
    "toolsets": ["file"],
    "mcp_servers": {
        "x": {"url": "http://127.0.0.1:1/", "headers": {"Authorization": "${X_TOKEN}"}}
    },
}


def with_credential(hermes: Hermes) -> None:
    folder = hermes.folder.parent / "credentials"
    folder.mkdir()
    (folder / "settings.platforms.telegram.token").write_text(f"{SECRET}\n")
    hermes.environ |= {"CREDENTIALS_DIRECTORY": str(folder), "X_TOKEN": f"{SECRET}-x"}


def test_config_check_says_which_signal_which_entry_and_what_is_declared(hermes: Hermes) -> None:
    declare(hermes, SETTINGS)
    with_credential(hermes)
    ran = hermes.run("config", "check")
    assert ran.status == 0, ran.err
    lines = ran.out.splitlines()
    entry = "/etc/hermes-agent/homes/hermes-agent.json"
    assert f"managed by NixOS (native mode, says {entry})" in lines
    assert "to change it, edit configuration.nix, then run: sudo nixos-rebuild switch" in lines
    assert "declaration: agent.max_turns = 12" in lines
    assert 'declaration: toolsets = ["file"]' in lines
    assert "credential: platforms.telegram.token = ***" in lines
    assert SECRET not in ran.out + ran.err
    assert "model.default =" not in ran.out  # config.yaml's own


def test_config_check_names_the_other_signals_too(hermes: Hermes) -> None:
    assert "managed by" not in hermes.run("config", "check").out
    (hermes.home / ".managed").write_text("home-manager")
    assert "managed by home-manager (says .managed)" in hermes.run("config", "check").out
    ran = hermes.run("config", "check", HERMES_MANAGED="Ansible")
    assert "managed by Ansible (says HERMES_MANAGED)" in ran.out
    assert "edit what Ansible declares, and apply it" in ran.out


def test_no_command_shows_a_credential(hermes: Hermes) -> None:
    declare(hermes, SETTINGS)
    with_credential(hermes)
    for words in (
        ["config"],
        ["config", "show", "--all"],
        ["config", "show", "--json"],
        ["config", "get", "platforms.telegram.token"],
        ["config", "get", "platforms"],
        ["config", "get", "mcp_servers"],
        ["config", "check"],
        ["status"],
        ["doctor", "--offline"],
        ["mcp", "list"],
        ["tools", "list"],
    ):
        ran = hermes.run(*words)
        assert SECRET not in ran.out + ran.err, words
    assert hermes.run("config", "get", "platforms.telegram.token").out == "***\n"


def test_a_credential_that_cannot_be_read_is_status_78(hermes: Hermes) -> None:
    declare(hermes, {})
    ran = hermes.run("config", "get", "timezone", CREDENTIALS_DIRECTORY="/nonexistent")
    assert (ran.status, ran.out) == (78, "")
    assert "Cannot read the credentials in /nonexistent: No such file" in ran.err


def test_status_and_doctor_say_who_manages_and_how_strong_the_gate_is(hermes: Hermes) -> None:
    for mode in ("native", "container"):
        declare(hermes, {}, mode=mode)
        facts = json.loads(hermes.run("status", "--json").out)
        assert facts["environment"]["managed by"].startswith(f"NixOS ({mode} mode, says /etc/")
        gate = facts["terminal"]["gate"]
        assert gate.startswith(("commands run in bubblewrap", "gate advisory"))
        told = hermes.run("doctor", "--offline").out
        assert f"managed by NixOS ({mode} mode" in told
        assert gate in told


def test_logins_are_listed_without_their_tokens(hermes: Hermes) -> None:
    (hermes.home / "auth.json").write_text(
        json.dumps(
            {
                "version": 1,
                "active_provider": "nous",
                "providers": {
                    "nous": {"agent_key": SECRET},
                    "xai": {"access_token": f"{SECRET}-old", "expires_at": "2001-01-01T00:00:00Z"},
                    "elsewhere": {"api_key": f"{SECRET}-e"},
                    "openai": {},
                },
            }
        )
    )
    (hermes.home / "auth.json").chmod(0o600)
    (hermes.home / "config.yaml").chmod(0o600)
    facts = json.loads(hermes.run("status", "--json").out)
    assert facts["logins"] == {
        "nous": "tok-…3210, the latest login",
        "xai": "the login has expired",
        "elsewhere": "no provider of this name is known; it is not used",
        "openai": "the entry has no key and no token",
    }
    ran = hermes.run("doctor", "--offline")
    assert ran.status == 1
    assert "xai: the login has expired" in ran.out
    assert SECRET not in ran.out + hermes.run("status").out


def test_a_damaged_file_of_logins_is_a_problem_and_nothing_else_stops(hermes: Hermes) -> None:
    (hermes.home / "auth.json").write_text("{torn")
    ran = hermes.run("doctor", "--offline")
    assert ran.status == 1
    assert "auth.json is damaged" in ran.out
    assert hermes.run("status").status == 0
    assert (hermes.home / "auth.json").read_text() == "{torn"


def test_a_login_serves_as_its_vendor_s_key(hermes: Hermes) -> None:
    (hermes.home / "config.yaml").write_text("model: {provider: anthropic}\n")
    (hermes.home / "auth.json").write_text(
        json.dumps({"providers": {"anthropic": {"access_token": SECRET}}})
    )
    facts = json.loads(hermes.run("status", "--json").out)
    assert facts["model"]["uses"].endswith("(https://api.anthropic.com), key from auth.json")
