"""The NixOS module, evaluated by NixOS itself: specification, accounts, machine, refusals."""

import json
from pathlib import Path

import pytest

from hermes_agent.deploy.spec import Specification
from tests.nix.machines import Machine, Options
from tests.nix.nix import ROOT, EvaluationFailed

EXAMPLES = sorted((ROOT / "nix/examples").glob("*.nix"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_makes_a_specification_that_the_engine_accepts(
    machine: Machine, example: Path
) -> None:
    spec = machine.specification(example)
    assert spec.manager == "nixos"
    assert spec.scope == "system"
    assert spec.package_roots == (machine.nix.store,)
    assert spec.gc_roots == "/nix/var/nix/gcroots"
    assert machine.evaluate(example, "failed") == []
    assert machine.evaluate(example, "warnings") == []


def test_the_options_are_the_keys_of_the_specification(options: Options) -> None:
    found = options.evaluate("", "specification")
    assert sorted(found) == sorted(Specification.__struct_encode_fields__)
    container = type(Specification(package="/x").container)
    hardening = type(Specification(package="/x").hardening)
    assert sorted(found["container"]) == sorted(container.__struct_encode_fields__)
    assert sorted(found["hardening"]) == sorted(hardening.__struct_encode_fields__)


def test_what_nobody_declares_has_the_engine_s_own_defaults(options: Options) -> None:
    spec = options.specification("")
    own = Specification(
        package=spec.package,
        manager="nixos",
        package_roots=spec.package_roots,
        gc_roots=spec.gc_roots,
        working_directory="/var/lib/hermes/workspace",
    )
    assert spec == own


def test_documents_are_texts_or_files_of_the_store(options: Options, tmp_path: Path) -> None:
    (tmp_path / "USER.md").write_text("Call me Al.")
    spec = options.specification(
        f"""documents = {{
          "SOUL.md" = "You are terse.";
          "notes/user.md" = {tmp_path}/USER.md;
          "interpolated.md" = "${{{tmp_path}/USER.md}}";
          "made.md" = pkgs.writeText "made" "text";
          "slash.md" = "/not/a/file/but/text\\nof two lines";
        }};"""
    )
    assert spec.documents["SOUL.md"].text == "You are terse."
    assert spec.documents["slash.md"].text == "/not/a/file/but/text\nof two lines"
    for name in ("notes/user.md", "interpolated.md", "made.md"):
        path = spec.documents[name].path
        assert path and path.startswith(f"{options.nix.store}/"), name


def test_a_document_s_text_is_kept_byte_for_byte(options: Options) -> None:
    spec = options.specification(
        "documents.x = ''\n  EOF\n  '$(touch /tmp/x)' \"quoted\" \\back `tick` ''${VAR} é\n'';"
    )
    assert spec.documents["x"].text == "EOF\n'$(touch /tmp/x)' \"quoted\" \\back `tick` ${VAR} é\n"


def test_files_of_the_machine_stay_out_of_the_store(options: Options) -> None:
    spec = options.specification(
        'configFile = "/etc/c.yaml"; authFile = "/run/a.json"; environmentFiles = [ "/run/e" ];'
    )
    assert (spec.config_file, spec.auth_file) == ("/etc/c.yaml", "/run/a.json")
    assert spec.environment_files == ("/run/e",)


def test_servers_have_only_what_was_said_of_them(options: Options) -> None:
    spec = options.specification(
        """mcpServers = {
          files = { command = "npx"; args = [ "-y" "x" ]; };
          far = { url = "https://x.example"; headers.A = "b"; auth = "oauth"; enabled = false;
                  timeout = 5; tools.include = [ "one" ]; sampling.enabled = false; };
        };
        settings.mcp_servers.own.command = "true";"""
    )
    assert spec.mcp_servers == {
        "files": {"command": "npx", "args": ["-y", "x"]},
        "far": {
            "url": "https://x.example",
            "headers": {"A": "b"},
            "auth": "oauth",
            "enabled": False,
            "timeout": 5,
            "tools": {"include": ["one"]},
            "sampling": {"enabled": False},
        },
    }
    assert set(spec.declared["mcp_servers"]) == {"files", "far", "own"}


def test_secrets_become_dotted_keys(options: Options) -> None:
    spec = options.specification(
        'secrets = { model.api_key = "/run/k"; auxiliary.vision.api_key = "/run/v"; };'
    )
    assert spec.secrets == {"model.api_key": "/run/k", "auxiliary.vision.api_key": "/run/v"}


def test_the_service_s_user_and_group_are_made(machine: Machine) -> None:
    assert machine.evaluate('stateDir = "/srv/agent/state";', "user") == {
        "isSystemUser": True,
        "group": "hermes",
        "home": "/srv/agent/state",
        "createHome": False,
    }
    assert "hermes" not in machine.evaluate("createUser = false;", "users")


def test_people_of_the_host_join_the_group_and_no_other(machine: Machine) -> None:
    module = """container = { enable = true; hostUsers = [ "alice" ]; };
      addToSystemPackages = true; }; users.users.alice = { isNormalUser = true;"""
    assert machine.evaluate(module, "members") == ["alice"]
    assert machine.evaluate(module, "engineMembers") == []


@pytest.mark.parametrize(
    ("module", "docker", "podman"),
    [
        ("", False, False),
        ("container.enable = true;", True, False),
        ('container = { enable = true; backend = "podman"; };', False, True),
    ],
    ids=["native", "docker", "podman"],
)
def test_the_engine_that_is_used_is_enabled_and_no_other(
    machine: Machine, module: str, docker: bool, podman: bool
) -> None:
    assert machine.evaluate(module, "docker") is docker
    assert machine.evaluate(module, "podman") is podman


def test_an_engine_that_was_switched_off_stays_off_and_is_told_about(machine: Machine) -> None:
    module = "container.enable = true; }; virtualisation.docker = { enable = false;"
    assert machine.evaluate(module, "docker") is False
    (said,) = machine.evaluate(module, "failed")
    assert 'container.backend = "podman"' in said


def test_the_firewall_opens_for_what_is_switched_on_and_asked_for(machine: Machine) -> None:
    served = 'environment = { API_SERVER_ENABLED = "true"; WEBHOOK_ENABLED = "1"; };'
    assert machine.evaluate(served, "ports") == []
    assert machine.evaluate(f"{served} openFirewall = true;", "ports") == [8642, 8644]
    other = (
        'environment = { API_SERVER_ENABLED = "true"; API_SERVER_PORT = "8700"; };'
        " settings.platforms.webhook = { enabled = true; extra.port = 9000; };"
    )
    assert machine.evaluate(f"{other} openFirewall = true;", "ports") == [8700, 9000]
    (said,) = machine.evaluate("openFirewall = true;", "warnings")
    assert "opens no port" in said


def test_the_command_on_path_goes_through_one_program_of_root_s(machine: Machine) -> None:
    module = "addToSystemPackages = true;"
    door = "/run/current-system/sw/libexec/hermes-agent/hermes-agent"
    sudoers: str = machine.evaluate(module, "sudoers")
    assert f"%hermes  ALL=(root)    NOPASSWD:NOSETENV: {door}" in sudoers
    assert f"Defaults!{door} env_reset, !setenv" in sudoers
    assert "@" not in sudoers.split("Defaults!")[1].split("\n")[0]
    text: str = machine.evaluate(module, "door")
    assert text.startswith("#!/interpreter -I\n")
    assert 'main("hermes-agent", sys.argv[1:])' in text
    assert "@" not in text
    assert "/libexec" in machine.evaluate(module, "pathsToLink")
    assert "hermes-agent" in machine.evaluate(module, "programs")


def test_without_it_nothing_is_on_path_and_sudo_allows_nothing(machine: Machine) -> None:
    assert "hermes" not in machine.evaluate("", "sudoers")
    assert not [name for name in machine.evaluate("", "programs") if "hermes" in name]


def test_a_disabled_service_leaves_no_trace(machine: Machine) -> None:
    assert machine.evaluate("enable = false;", "traces") == {
        "services": [],
        "users": [],
        "programs": [],
    }


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ('stateDir = "hermes";', 'such as "/var/lib/hermes"'),
        ('stateDir = "/var/lib/../hermes";', "without .., // or a slash at the end"),
        ('stateDir = "/hermes";', "must lie in a folder of its own"),
        ('workingDirectory = "/srv//x";', "without .., // or a slash at the end"),
        ('restart = "sometimes";', "write one of no, always"),
        ("restartSec = -1;", "0 or more"),
        ('user = "root";', "the agent must not be"),
        ('user = "Hermes Agent";', "lower case letters"),
        ('group = "a b";', "lower case letters"),
        ("authFileForceOverwrite = true;", "set services.hermes-agent.authFile too"),
        ('configFile = "/c"; secrets.model.api_key = "/k";', "beside configFile use environment"),
        ('environmentFiles = [ "secrets/env" ];', "the absolute path of a file of this machine"),
        ('environment."A B" = "c";', "is not the name of an environment variable"),
        ('documents."../x" = "y";', "is not the name of a file inside"),
        ('documents."/etc/x" = "y";', "is not the name of a file inside"),
        ("mcpServers.x.enabled = true;", "write either command"),
        ('mcpServers.x = { command = "a"; url = "b"; };', "write either command"),
        ('secrets."a:b" = "/k";', "systemd takes no credential called"),
        (
            'workingDirectory = "/srv/x"; container.enable = true;',
            'container.extraVolumes = [ "/srv/x:/srv/x:rw" ]',
        ),
        ("extraPackages = [ pkgs.jq ]; container.enable = true;", "name Debian packages"),
        ('container = { enable = true; image = ""; };', 'such as "ubuntu:24.04"'),
        ('container = { enable = true; extraVolumes = [ "x" ]; };', "/on/the/host:/in/the"),
    ],
)
def test_what_cannot_work_is_refused_with_what_to_write_instead(
    options: Options, module: str, words: str
) -> None:
    failed: list[str] = options.evaluate(module, "failed")
    assert [text for text in failed if words in text], failed
    assert all(text.startswith("services.hermes-agent.") for text in failed)


@pytest.mark.parametrize(
    ("module", "option"),
    [
        ("enable = 1;", "enable"),
        ('package = "hermes";', "package"),
        ("user = 5;", "user"),
        ('createUser = "yes";', "createUser"),
        ("stateDir = [ ];", "stateDir"),
        ('settings = "model: x";', "settings"),
        ("configFile = 1;", "configFile"),
        ('configFile = "relative.yaml";', "configFile"),
        ('environmentFiles = "/run/x";', "environmentFiles"),
        ("environment.A = 1;", "environment.A"),
        ("authFile = { };", "authFile"),
        ("documents.x = 1;", "documents.x"),
        ("mcpServers.x.command = [ ];", "mcpServers.x.command"),
        ('mcpServers.x.timeout = "5";', "mcpServers.x.timeout"),
        ('mcpServers.x.auth = "basic";', "mcpServers.x.auth"),
        ('extraArgs = "--verbose";', "extraArgs"),
        ('extraPackages = [ "jq" ];', "extraPackages"),
        ('restartSec = "5";', "restartSec"),
        ('container.backend = "lxc";', "container.backend"),
        ("container.hostUsers = null;", "container.hostUsers"),
        ("hardening.settings.X = null;", "hardening.settings.X"),
        ('sooul = "x";', "sooul"),
        ("container.enabled = true;", "container.enabled"),
    ],
)
def test_a_wrong_type_or_name_is_an_error_that_names_the_option(
    options: Options, module: str, option: str
) -> None:
    with pytest.raises(EvaluationFailed) as failed:
        options.evaluate(module, "specification")
    assert f"services.hermes-agent.{option}" in str(failed.value)


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("authFile = ./module.nix;", "authFile lies in the Nix store"),
        ("configFile = ./module.nix;", "configFile lies in the Nix store"),
        ('configFile = "/c"; settings.a = 1;', "configFile replaces settings and mcpServers"),
        ('configFile = "/c"; mcpServers.x.command = "y";', "what is declared there has no effect"),
        ('environmentFiles = [ "${./module.nix}" ];', "environmentFiles lies in the Nix store"),
        ('secrets.model.api_key = "${./module.nix}";', "secrets.model.api_key lies in"),
        ('settings.model.api_key = "sk-1";', "secrets.model.api_key ="),
        ('environment.OPENAI_API_KEY = "sk-1";', "environmentFiles instead"),
        ('documents."SOUL.md" = "/home/me/SOUL.md";', "write the path without quotes"),
        ('container = { enable = true; hostUsers = [ "a" ]; };', "set addToSystemPackages = true"),
        (
            "addToSystemPackages = true; }; security.sudo = { enable = false;",
            "Set security.sudo.enable = true",
        ),
        (
            "addToSystemPackages = true; }; security.sudo = { execWheelOnly = true;",
            "keeps sudo from everybody outside of wheel",
        ),
    ],
)
def test_what_works_but_is_unwise_is_warned_about(
    machine: Machine, module: str, words: str
) -> None:
    warnings: list[str] = machine.evaluate(module, "warnings")
    assert len(warnings) == 1, warnings
    assert words in warnings[0]
    assert machine.evaluate(module, "failed") == []


def test_a_secret_by_reference_is_no_cause_for_a_warning(options: Options) -> None:
    module = 'settings.model.api_key = "\\${OPENROUTER_API_KEY}"; environment.OPENAI_API_KEY = "";'
    assert options.evaluate(module, "warnings") == []


def test_a_secret_s_contents_never_reach_the_specification(
    machine: Machine, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hunter2-hunter2")
    found = machine.evaluate(
        f'environmentFiles = [ "{secret}" ]; authFile = "{secret}";'
        f' secrets.model.api_key = "{secret}";',
        "specification",
    )
    assert "hunter2" not in json.dumps(found)
    assert found["authFile"] == str(secret)
