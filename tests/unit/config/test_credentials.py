"""Settings that a service manager hands over as credentials."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hermes_agent.config import report
from hermes_agent.config.edit import edit
from hermes_agent.config.load import InvalidConfigError, Loaded, load
from hermes_agent.config.paths import Paths
from hermes_agent.domain.errors import ConfigError

SECRET = "tok-0123456789-secret"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "credentials"
    made.mkdir()
    return made


def loaded(home: Path, folder: Path, **environ: str) -> Loaded:
    home.mkdir(exist_ok=True)
    variables = {"CREDENTIALS_DIRECTORY": str(folder), "HERMES_MANAGED": "nixos", **environ}
    return load(Paths(home), variables, registry=home / "none")


def test_a_file_sets_the_key_that_it_is_named_after(home: Path, folder: Path) -> None:
    (folder / "settings.platforms.telegram.token").write_text(f"{SECRET}\n")
    (folder / 'settings.mcp_servers."a.b".headers.Authorization').write_text(f"Bearer {SECRET}-2\n")
    (folder / "settings.terminal.ssh_port").write_text("2222\n")
    (folder / "settings.model.api_key").write_text("ends-with-two-newlines\n\n")
    (folder / "something-else").write_text("not ours")
    found = loaded(home, folder)
    token = found.config.platforms["telegram"].token
    assert token is not None
    assert token.reveal() == SECRET
    assert found.config.mcp_servers["a.b"].headers == {"Authorization": f"Bearer {SECRET}-2"}
    assert found.config.terminal.ssh_port == 2222
    assert found.config.model.api_key is not None
    assert found.config.model.api_key.reveal() == "ends-with-two-newlines\n"
    assert str(found.origins["model.api_key"]) == "credential, settings.model.api_key"
    assert found.warnings == ()


def test_it_outranks_everything_below_it(home: Path, folder: Path) -> None:
    home.mkdir()
    (home / "config.yaml").write_text("timezone: File\n")
    (folder / "settings.timezone").write_text("Credential")
    found = loaded(home, folder, HERMES_TIMEZONE="Environment")
    assert found.config.timezone == "Credential"


def test_whatever_its_key_it_is_blanked_and_never_shown(home: Path, folder: Path) -> None:
    (folder / "settings.timezone").write_text(SECRET)
    (folder / "settings.terminal.ssh_port").write_text("2222")
    (folder / "settings.foreign.thing").write_text("Basic user-and-password")
    found = loaded(home, folder)
    assert {SECRET, "Basic user-and-password", "user-and-password"} <= found.secrets
    shown = report.everything(found)
    assert shown["timezone"] == "***"
    assert shown["terminal"]["ssh_port"] == "***"
    assert shown["foreign"] == {"thing": "***"}
    assert report.value(found, ("timezone",)) == "***"
    assert report.value(found, ("terminal",))["ssh_port"] == "***"


def test_a_variable_s_name_in_a_secret_stays_as_it_is(home: Path, folder: Path) -> None:
    (folder / "settings.model.api_key").write_text("abc${HOME}def")
    key = loaded(home, folder, HOME="/h").config.model.api_key
    assert key is not None
    assert key.reveal() == "abc${HOME}def"


def test_an_edit_writes_none_of_it(
    home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.mkdir()
    (folder / "settings.model.api_key").write_text(SECRET)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    edit(Paths(home), {"timezone": "UTC"}, environ=os.environ, registry=home / "none")
    assert (home / "config.yaml").read_text() == "timezone: UTC\n"


def test_outside_a_managed_home_the_folder_is_somebody_else_s(home: Path, folder: Path) -> None:
    (folder / "settings.timezone").write_text("Credential")
    found = loaded(home, folder, HERMES_MANAGED="")
    assert found.config.timezone == ""
    assert loaded(home, Path("/nonexistent"), HERMES_MANAGED="").config.timezone == ""


def test_env_file_cannot_name_the_folder(home: Path, folder: Path) -> None:
    home.mkdir()
    (home / ".env").write_text(f"CREDENTIALS_DIRECTORY={folder}\n")
    (folder / "settings.timezone").write_text("Evil")
    found = load(Paths(home), {"HERMES_MANAGED": "1"}, registry=home / "none")
    assert found.config.timezone == ""
    assert [r.key for r in found.warnings] == ["CREDENTIALS_DIRECTORY"]


def _link(file: Path) -> None:
    file.symlink_to("/etc/hostname")


def _pipe(file: Path) -> None:
    os.mkfifo(file)


def _sparse(file: Path) -> None:
    with file.open("wb") as opened:
        opened.truncate(2**30)


def _fill(data: bytes) -> Callable[[Path], None]:
    def fill(file: Path) -> None:
        file.write_bytes(data)

    return fill


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_link, "Cannot read the credential"),
        (_pipe, "is not a regular file"),
        (Path.mkdir, "is not a regular file"),
        (_sparse, "is longer than"),
        (_fill(b"\xff\xfe"), "is not UTF-8 text"),
        (_fill(b"a\0b"), "holds a NUL byte"),
        (_fill(b"\n"), "is empty"),
    ],
)
def test_a_file_that_cannot_be_a_secret_stops_everything_and_is_named(
    home: Path, folder: Path, spoil: Callable[[Path], None], said: str
) -> None:
    file = folder / "settings.model.api_key"
    spoil(file)
    with pytest.raises(ConfigError, match=said) as caught:
        loaded(home, folder)
    assert str(file) in caught.value.message


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("settings.", "names no setting"),
        ("settings.a..b", "names no setting"),
        ("settings.custom_providers.0.api_key", "reaches into a list"),
    ],
)
def test_a_name_that_is_no_key_stops_everything(
    home: Path, folder: Path, name: str, said: str
) -> None:
    (folder / name).write_text(SECRET)
    with pytest.raises(ConfigError, match=said):
        loaded(home, folder)


def test_a_missing_folder_stops_everything(home: Path, folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"Cannot read the credentials in .*/gone"):
        loaded(home, folder / "gone")


def test_a_value_of_the_wrong_type_is_named_and_not_shown(home: Path, folder: Path) -> None:
    (folder / "settings.terminal.ssh_port").write_text(SECRET)
    with pytest.raises(InvalidConfigError) as caught:
        loaded(home, folder)
    assert "settings.terminal.ssh_port: terminal.ssh_port: expected" in caught.value.message
    assert SECRET not in caught.value.message


def test_an_unknown_key_is_kept_and_named(home: Path, folder: Path) -> None:
    (folder / "settings.modle.api_key").write_text(SECRET)
    found = loaded(home, folder)
    assert "credential settings.modle.api_key" in found.warnings[0].text
    assert SECRET not in found.warnings[0].text
