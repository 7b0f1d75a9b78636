# ruff: noqa: F821  names of the test driver
# What the tests of both modes ask of a machine.
HEALTH = "curl --fail --silent http://127.0.0.1:8642/health"
MODELS = "curl --fail --silent -H 'Authorization: Bearer {}' http://127.0.0.1:8642/v1/models"


def up():
    machine.wait_for_unit("hermes-agent.service")
    machine.wait_until_succeeds(HEALTH)


def started():
    return machine.succeed("systemctl show -P ExecMainStartTimestampMonotonic hermes-agent").strip()


def switch(name):
    machine.succeed(
        f"/run/booted-system/specialisation/{name}/bin/switch-to-configuration test >&2"
    )


def refused(command, words):
    status, said = machine.execute(f"{command} 2>&1")
    assert status != 0, f"{command}: succeeded: {said}"
    assert words in said, f"{command}: {said}"


def secret_stays(secret):
    machine.fail(f"journalctl -u hermes-agent | grep -q {secret}")
    machine.fail(f"systemctl show hermes-agent | grep -q {secret}")
    looks = "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null"
    machine.fail(f"su mallory -c '{looks}' | grep -aq {secret}")


def rotates():
    machine.succeed(MODELS.format("first-secret-of-the-test"))
    machine.succeed(
        "printf 'API_SERVER_KEY=second-secret-of-the-test\\n' > /run/secrets/hermes-env"
    )
    machine.succeed("systemctl restart hermes-agent")
    up()
    machine.succeed(MODELS.format("second-secret-of-the-test"))
    machine.fail(MODELS.format("first-secret-of-the-test"))


def restarts_only_for_a_changed_configuration():
    before = started()
    switch("unrelated")
    assert started() == before, "restarted for a change that is none of ours"
    switch("changed")
    up()
    assert started() != before, "not restarted for a changed configuration"


def hermes_on_the_host():
    said = machine.succeed("su - alice -c 'hermes config get model.default'")
    assert "test/declared" in said, said
    refused("su - mallory -c 'hermes config get model.default'", "group hermes")
    for command in (
        "setup",
        "config edit",
        "config set model.default a/b",
        "gateway install",
        "gateway uninstall",
    ):
        refused(f"su - alice -c 'hermes {command}'", "managed by NixOS")
