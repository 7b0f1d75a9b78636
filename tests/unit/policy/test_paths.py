"""The path guard against every other name of a protected file."""

import os
from pathlib import Path

import pytest

from hermes_agent.domain.errors import DeniedError
from hermes_agent.policy.paths import PathGuard
from hermes_agent.policy.protected import SEALED, secret


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for name in ("user/.ssh", "user/.hermes/pairing", "user/.aws", "work/sub", "outside"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("user/.ssh/id_rsa", "user/.ssh/id_rsa.pub", "user/.bashrc", "user/.hermes/.env",
                 "user/.hermes/config.yaml", "user/.hermes/state.db", "work/a.txt"):  # fmt: skip
        (tmp_path / name).write_text("x")
    return tmp_path


def guard(place: Path, write_root: str | None = None) -> PathGuard:
    home = str(place / "user")
    return PathGuard(
        home=home, hermes_home=home + "/.hermes", cwd=str(place / "work"), write_root=write_root
    )


@pytest.mark.parametrize(
    "path",
    ["~/.ssh/authorized_keys", "~/.ssh/id_rsa", "~/.bashrc", "~/.zshrc", "~/.profile", "~/.netrc",
     "~/.npmrc", "~/.hermes/.env", "~/.hermes/auth.json", "~/.hermes/state.db",
     "~/.hermes/state.db-wal",
     "~/.hermes/config.yaml", "~/.hermes/pairing/x.json", "~/.hermes/hooks/a/handler.py",
     "~/.hermes/config.yaml.tmp", "~/.aws/credentials", "~/.gnupg/x", "~/.kube/config",
     "~/.config/systemd/user/x.service", "/etc/passwd", "/etc/shadow", "/etc/sudoers",
     "/etc/sudoers.d/x",
     "/etc/systemd/system/x.service", "/usr/lib/systemd/system/x.service",
     "/root/.ssh/authorized_keys",
     "/etc/cron.d/x", "/boot/x", "/usr/bin/x", "/proc/sys/kernel/x", "/sys/x", "/dev/sda",
     "/dev/mem",
     "../user/.bashrc", "~/./.ssh//id_rsa", "~/.SSH/id_rsa", "~/.Hermes/Config.yaml",
     "/proc/self/root/etc/passwd", "/proc/self/cwd/x", "/proc/1/root/etc/x", "/dev/fd/3",
     "/dev/stdin",
     "/proc/self/fd/1", "/etc/../etc/passwd", "//etc/passwd", ""],
)  # fmt: skip
def test_protected_files_are_not_written(place: Path, path: str) -> None:
    with pytest.raises(DeniedError):
        guard(place).check_write(path)


@pytest.mark.parametrize(
    "path",
    ["~/.ssh/id_rsa", "~/.hermes/.env", "~/.hermes/auth.json", "~/.hermes/mcp-tokens/x.json",
    "~/.netrc",
     "~/.aws/credentials", "~/.kube/config", "~/.git-credentials", "/etc/shadow",
     "/proc/self/environ",
     "/proc/1/environ", "/proc/1/task/1/environ", "/proc/self/mem", "/dev/mem", "/dev/sda",
     "/dev/tty",
     "/proc/self/root/etc/shadow", "/proc/self/fd/0", "/dev/fd/0", "~/.SSH/ID_RSA", "x\0y",
     "/run/credentials/hermes-agent.service/settings.model.api_key", "/run/hermes/environment",
     "/run/hermes/credentials/settings.model.api_key", "/run/hermes-agent/x/environment"],
)  # fmt: skip
def test_files_with_secrets_are_not_read(place: Path, path: str) -> None:
    with pytest.raises(DeniedError):
        guard(place).check_read(path)


@pytest.mark.parametrize(
    "path", ["a.txt", "~/.bashrc", "~/.ssh/id_rsa.pub", "~/.hermes/config.yaml", "/etc/passwd",
             "/etc/hosts", "missing.txt", "/proc/meminfo", "/dev/null"],
)  # fmt: skip
def test_other_files_are_read(place: Path, path: str) -> None:
    expected = os.path.realpath(
        os.path.join(place / "work", path.replace("~", str(place / "user")))
    )
    assert guard(place).check_read(path) == expected


@pytest.mark.parametrize(
    "path", ["a.txt", "sub/new.txt", "new/dir/file.py", "~/notes.md", ".env", "/dev/null"]
)
def test_other_files_are_written(place: Path, path: str) -> None:
    assert guard(place).check_write(path).startswith("/")


@pytest.mark.parametrize("target", ["user/.bashrc", "user/.hermes/config.yaml", "user/.ssh/id_rsa"])
def test_a_symbolic_link_is_what_it_points_to(place: Path, target: str) -> None:
    (place / "work/link").symlink_to(place / target)
    (place / "work/link2").symlink_to("link")
    for name in ("link", "link2"):
        with pytest.raises(DeniedError):
            guard(place).check_write(name)


def test_a_link_to_a_protected_directory_protects_what_is_not_there_yet(place: Path) -> None:
    (place / "work/dir").symlink_to(place / "user/.ssh")
    with pytest.raises(DeniedError):
        guard(place).check_write("dir/authorized_keys")
    (place / "work/dangling").symlink_to(place / "user/.ssh/authorized_keys2")
    with pytest.raises(DeniedError):
        guard(place).check_write("dangling")


def test_a_home_that_is_itself_a_link_is_protected_under_both_names(place: Path) -> None:
    (place / "alias").symlink_to(place / "user")
    other = PathGuard(
        home=str(place / "alias"), hermes_home=str(place / "alias/.hermes"), cwd=str(place / "work")
    )
    for name in (place / "alias/.bashrc", place / "user/.bashrc", place / "user/.hermes/.env"):
        with pytest.raises(DeniedError):
            other.check_write(str(name))


@pytest.mark.parametrize(
    "target", ["user/.hermes/config.yaml", "user/.ssh/id_rsa", "user/.hermes/.env"]
)
def test_a_hard_link_is_the_file_itself(place: Path, target: str) -> None:
    os.link(place / target, place / "work/hard")
    with pytest.raises(DeniedError, match="hard link"):
        guard(place).check_write("hard")


def test_a_hard_link_to_a_secret_is_not_read(place: Path) -> None:
    os.link(place / "user/.ssh/id_rsa", place / "work/hard")
    with pytest.raises(DeniedError, match="hard link"):
        guard(place).check_read("hard")


def test_hard_links_among_ordinary_files_are_fine(place: Path) -> None:
    os.link(place / "work/a.txt", place / "work/b.txt")
    assert guard(place).check_write("b.txt") == str(place / "work/b.txt")


def test_an_open_protected_file_is_recognised_whatever_led_to_it(place: Path) -> None:
    subject = guard(place)
    for name, allowed in (("user/.hermes/config.yaml", False), ("work/a.txt", True)):
        descriptor = os.open(place / name, os.O_RDONLY)
        try:
            if allowed:
                subject.verify_opened(descriptor, writing=True)
            else:
                with pytest.raises(DeniedError):
                    subject.verify_opened(descriptor, writing=True)
        finally:
            os.close(descriptor)


def test_pipes_are_neither_read_nor_written(place: Path) -> None:
    os.mkfifo(place / "work/pipe")
    with pytest.raises(DeniedError):
        guard(place).check_read("pipe")
    with pytest.raises(DeniedError):
        guard(place).check_write("pipe")


@pytest.mark.parametrize("path", ["../outside/x", "~/x", "/tmp/x", "link/x", "../work2/x"])
def test_the_write_root_confines_writing(place: Path, path: str) -> None:
    (place / "work/link").symlink_to(place / "outside")
    subject = guard(place, write_root=str(place / "work"))
    assert subject.check_write("sub/x") == str(place / "work/sub/x")
    with pytest.raises(DeniedError, match="confined"):
        subject.check_write(path)


def test_a_loop_of_links_is_no_crash(place: Path) -> None:
    (place / "work/a").symlink_to("b")
    (place / "work/b").symlink_to("a")
    subject = guard(place)
    assert subject.check_write("a").startswith(str(place / "work"))


def test_another_directory_may_be_the_base(place: Path) -> None:
    assert guard(place).check_read("x", cwd=str(place / "outside")) == str(place / "outside/x")


@pytest.mark.parametrize(
    "name",
    [
        ".ssh/id_rsa", ".gnupg/private-keys-v1.d/x.key", ".aws/credentials", ".kube/config",
        ".docker/config.json", ".azure/x", ".password-store/x", ".config/gh/hosts.yml",
        ".config/rclone/rclone.conf", ".config/op/x", ".config/gcloud/credentials.db",
        ".cargo/credentials.toml", ".terraform.d/credentials.tfrc.json", ".netrc", ".npmrc",
        ".pypirc", ".pgpass", ".git-credentials", ".vault-token", ".my.cnf",
        ".mozilla/firefox/x/key4.db", ".config/chromium/Default/Cookies",
        ".config/google-chrome/Default/Login Data", ".gem/credentials",
    ],
)  # fmt: skip
def test_what_may_never_be_read_is_not_shown_by_a_sandbox(name: str) -> None:
    assert secret(f"/home/ann/{name}", home="/home/ann", hermes_home="/home/ann/.hermes")
    assert any(name == each or name.startswith(f"{each}/") for each in SEALED)
