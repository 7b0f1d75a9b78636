import pytest

from hermes_agent.environments.variables import child_variables


@pytest.mark.parametrize(
    "name",
    [
        "OPENAI_API_KEY",
        "ANTHROPIC_TOKEN",
        "GH_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "FAL_KEY",
        "EMAIL_PASSWORD",
        "SUDO_PASSWORD",
        "PGPASSWORD",
        "TWILIO_AUTH_TOKEN",
        "SLACK_BOT_TOKEN",
        "MODAL_TOKEN_ID",
        "MODAL_TOKEN_SECRET",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "npm_config_token",
        "TELEGRAM_ALLOWED_USERS",
        "HERMES_YOLO_MODE",
        "TERMINAL_SSH_HOST",
        "BASH_ENV",
    ],
)
def test_secrets_and_our_own_settings_stay_behind(name: str) -> None:
    assert name not in child_variables({name: "some value"})


@pytest.mark.parametrize(
    "name",
    [
        "HOME",
        "PATH",
        "KEYBOARD_LAYOUT",
        "SSH_AUTH_SOCK",
        "XAUTHORITY",
        "PWD",
        "MONKEY",
        "HERMES_HOME",
        "HERMES_MANAGED",
        "TERMINAL_EMULATOR",
        "VIRTUAL_ENV",
        "COMPASS_HOME",
        "GIT_AUTHOR_NAME",
    ],
)
def test_what_programs_need_goes_through(name: str) -> None:
    assert child_variables({name: "some value"})[name] == "some value"


@pytest.mark.parametrize(
    "value",
    [
        "postgres://me:word@db/x",
        "sk-abcdefghijklmnopqrstuvwx",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nabc",
        "prefix the-known-one suffix",
    ],
)
def test_a_value_that_is_a_secret_stays_behind_whatever_its_name(value: str) -> None:
    assert "PLAIN" not in child_variables({"PLAIN": value}, secrets=["the-known-one", "ab"])


def test_a_proxy_may_need_its_password() -> None:
    proxy = "http://me:word@proxy:3128"
    assert child_variables({"https_proxy": proxy})["https_proxy"] == proxy


def test_what_is_passed_by_name_goes_through() -> None:
    variables = child_variables(
        {"GH_TOKEN": "known-secret", "TERM": "xterm", "HERMES_X": "1"},
        passthrough=["GH_TOKEN", "TERM", "HERMES_X"],
        secrets=["known-secret"],
    )
    assert variables["GH_TOKEN"] == "known-secret"
    assert variables["TERM"] == "xterm"
    assert variables["HERMES_X"] == "1"


def test_there_is_always_a_path_and_never_a_pager() -> None:
    variables = child_variables({"PAGER": "less"})
    assert "/usr/bin" in variables["PATH"]
    assert variables["PAGER"] == variables["GIT_PAGER"] == "cat"
    assert variables["LC_CTYPE"] == "C.UTF-8"
    assert "LC_CTYPE" not in child_variables({"LANG": "de_DE.UTF-8"})
