# ruff: noqa: F821  names of the test driver
up()

with subtest("the state directory is the service's"):
    owner = machine.succeed("stat -c %U:%G /var/lib/hermes").strip()
    assert owner == "hermes:hermes", owner
    machine.fail("su mallory -c 'ls /var/lib/hermes'")
    machine.succeed("test -e /var/lib/hermes/.hermes/.managed")
    machine.succeed("grep -q 'You are the agent' /var/lib/hermes/workspace/SOUL.md")

    machine.succeed("grep -q virtualisation /var/lib/hermes/workspace/notes/path.md")

with subtest("the fence holds"):
    pid = machine.succeed("systemctl show -P MainPID hermes-agent").strip()
    inside = f"nsenter -t {pid} -m -- "
    machine.fail(inside + "touch /etc/here")
    machine.fail(inside + "touch /home/here")
    machine.succeed(inside + "su hermes -s /bin/sh -c 'touch /var/lib/hermes/workspace/here'")
    machine.succeed(f"grep -q 'NoNewPrivs:.*1' /proc/{pid}/status")
    machine.succeed("systemd-analyze security --threshold=25 hermes-agent")

with subtest("the agent's programs are on its PATH"):
    environment = machine.succeed(f"tr '\\0' '\\n' < /proc/{pid}/environ")
    assert "hello" in environment and "HERMES_MANAGED=true" in environment, environment

with subtest("no secret shows"):
    secret_stays("first-secret-of-the-test")
    secret_stays("key-of-the-model")

with subtest("hermes on the host"):
    hermes_on_the_host()

with subtest("a refreshed token survives two crashes"):
    machine.succeed(
        'printf \'{"version": 1, "refreshed": true}\' > /var/lib/hermes/.hermes/auth.json'
    )
    for _ in range(2):
        machine.succeed("systemctl kill -s KILL hermes-agent")
        machine.wait_until_succeeds(HEALTH)
    machine.succeed("grep -q refreshed /var/lib/hermes/.hermes/auth.json")

with subtest("a rotated secret needs a restart and no more"):
    rotates()

with subtest("a restart for a changed configuration, and only then"):
    restarts_only_for_a_changed_configuration()
