"""Which commands a managed home refuses: all that would write settings or the service."""

from collections.abc import Iterator

import click
import pytest

from hermes_agent.cli.group import LazyGroup
from hermes_agent.cli.table import COMMANDS
from tests.acceptance.declaring import SIGNALS, contents, manage
from tests.acceptance.hermes import Hermes

REFUSED: dict[str, list[str]] = {
    "setup": [
        "setup",
        "setup model",
        "setup terminal",
        "setup agent",
        "setup --non-interactive",
        "setup --non-interactive --provider openai",
        "setup --non-interactive --reset",
        "setup --reset",
    ],
    "config set": [
        "config set timezone UTC",
        "config set OPENAI_API_KEY sk-0123456789",
        "config set model.api_key sk-0123456789",
        "config set approvals.mode off",
        "config set nonsense 1",
    ],
    "config unset": ["config unset timezone", "config unset OPENAI_API_KEY"],
    "config edit": ["config edit"],
    "config migrate": ["config migrate"],
    "gateway install": [
        "gateway install",
        "gateway install --force",
        "gateway install --system --run-as-user root",
    ],
    "gateway uninstall": ["gateway uninstall", "gateway uninstall --system"],
    "gateway setup": ["gateway setup"],
    "gateway start": ["gateway start", "gateway start --system"],
    "gateway stop": ["gateway stop"],
    "gateway restart": ["gateway restart"],
    "model set": ["model set other", "model set anthropic:claude-opus-4-6", "model set local"],
    "tools enable": ["tools enable web", "tools enable terminal --platform telegram"],
    "tools disable": ["tools disable terminal"],
    "mcp add": ["mcp add new --command true --no-test", "mcp add new --url http://127.0.0.1:1/"],
    "mcp remove": ["mcp remove known"],
    "mcp configure": ["mcp configure known --include a"],
    "mcp enable": ["mcp enable known"],
    "mcp disable": ["mcp disable known"],
    "skills enable": ["skills enable planning"],
    "skills disable": ["skills disable planning"],
}
"""By command, ways to say it."""

OPEN = """
chat completion doctor help insights logs migrate status version
config config_check config_env-path config_get config_path config_schema config_show
cron_add cron_create cron_delete cron_edit cron_list cron_pause cron_remove cron_resume cron_rm
cron_run cron_status cron_tick
gateway gateway_run gateway_status gateway_logs
gateway_queue_drop gateway_queue_list gateway_queue_prune gateway_queue_retry gateway_queue_show
mcp_list mcp_test mcp_login mcp_logout mcp_serve
memory memory_add memory_remove memory_show
model model_list model_test model_install_local
pairing_approve pairing_clear-pending pairing_list pairing_revoke
sessions_browse sessions_delete sessions_export sessions_list sessions_prune sessions_rename
sessions_search sessions_show sessions_stats
skills_audit skills_browse skills_check skills_inspect skills_install skills_list skills_new
skills_snapshot_export skills_snapshot_import skills_uninstall skills_update skills_view
tools tools_list
"""
"""Commands that read, or write what no declaration has: conversations, jobs, who was let in."""


def commands(command: click.Command, path: tuple[str, ...]) -> Iterator[str]:
    """Everything that can be called, by its words."""
    if not isinstance(command, click.Group):
        yield " ".join(path)
        return
    if command.invoke_without_command:
        yield " ".join(path)
    for name, below in command.commands.items():
        yield from commands(below, (*path, name))


def test_every_command_there_is_stands_in_one_of_the_two_lists() -> None:
    # `hermes deploy` is the manager's own side.
    names = [name for name in COMMANDS if name != "deploy"]
    there = {each for name in names for each in commands(LazyGroup.load(name), (name,))}
    open_ = {words.replace("_", " ") for words in OPEN.split()}
    assert there == set(REFUSED) | open_
    assert not set(REFUSED) & open_


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("command", REFUSED)
def test_what_would_write_is_refused_and_nothing_is_written(
    hermes: Hermes, command: str, signal: str
) -> None:
    hermes.configure("timezone: Europe/Paris\nmcp_servers: {known: {command: 'true'}}\n")
    (hermes.home / ".env").write_text("OPENAI_API_KEY=sk-secret-0123\n")
    manage(hermes, signal)
    user_home = hermes.folder.parent / "user"
    before = contents(hermes.home), contents(user_home)
    for line in REFUSED[command]:
        ran = hermes.run(*line.split(), EDITOR="false", VISUAL="false")
        assert (ran.status, ran.out) == (1, ""), (line, ran.err)
        assert "managed by NixOS" in ran.err, line
        assert "configuration.nix" in ran.err, line
        assert "sudo nixos-rebuild switch" in ran.err or "sudo systemctl" in ran.err, line
        assert "Traceback" not in ran.err
        assert (contents(hermes.home), contents(user_home)) == before, line


@pytest.mark.parametrize(
    ("manager", "said"),
    [
        ("home-manager", "systemctl --user restart hermes-agent.service"),
        ("nixos", "sudo systemctl restart hermes-agent.service"),
        ("Ansible", "sudo systemctl restart hermes-agent.service"),
    ],
)
def test_the_service_s_own_manager_is_named(hermes: Hermes, manager: str, said: str) -> None:
    ran = hermes.run("gateway", "restart", HERMES_MANAGED=manager)
    assert (ran.status, ran.out) == (1, "")
    assert said in ran.err
