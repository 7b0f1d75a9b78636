"""The gate asks, remembers, times out and never opens by accident."""

import anyio
import pytest

from hermes_agent.domain.asking import Approval, ApprovalRequest
from hermes_agent.domain.errors import ConfigError, DeniedError
from hermes_agent.policy.askers import NobodyToAsk
from hermes_agent.policy.gate import Gate
from hermes_agent.policy.grants import ListedGrants

HOME = "/home/ann"
AGENT = "/home/ann/.hermes"


class Person:
    """Answers as told, and keeps the questions."""

    def __init__(self, *answers: Approval) -> None:
        self.answers = list(answers)
        self.asked: list[ApprovalRequest] = []

    async def approve(self, request: ApprovalRequest) -> Approval:
        self.asked.append(request)
        return self.answers.pop(0)

    async def clarify(self, question: str, choices: tuple[str, ...]) -> str | None:
        return None


class Silent(Person):
    async def approve(self, request: ApprovalRequest) -> Approval:
        await anyio.sleep_forever()
        raise AssertionError


class Broken(Person):
    async def approve(self, request: ApprovalRequest) -> Approval:
        raise RuntimeError("the terminal is gone")


def gate(person: Person | NobodyToAsk | None = None, **options: object) -> Gate:
    return Gate(home=HOME, hermes_home=AGENT, asker=person, **options)  # pyright: ignore[reportArgumentType] - options are checked by the tests' outcome


async def check(subject: Gate, command: str, environment: str = "local") -> str:
    return await subject.check_command(command, cwd="/home/ann/work", environment=environment)


async def test_a_harmless_command_runs_without_a_question() -> None:
    person = Person()
    assert await check(gate(person), "ls -la") == "ls -la"
    assert not person.asked


async def test_once_is_good_for_one_time_only() -> None:
    person = Person("once", "deny")
    subject = gate(person)
    await check(subject, "rm -rf build")
    with pytest.raises(DeniedError):
        await check(subject, "rm -rf build")
    assert len(person.asked) == 2


async def test_session_holds_for_the_same_kind_of_thing_however_it_is_written() -> None:
    person = Person("session", "deny")
    subject = gate(person)
    await check(subject, "rm -rf build")
    await check(subject, "rm -r -f ./build")
    await check(subject, "cd /home/ann/work && rm --recursive build/")
    with pytest.raises(DeniedError):
        await check(subject, "rm -rf src")


async def test_a_session_answer_for_one_reason_does_not_cover_another() -> None:
    person = Person("session", "deny")
    subject = gate(person)
    await check(subject, "git reset --hard")
    with pytest.raises(DeniedError):
        await check(subject, "git reset --hard && rm -rf build")
    assert person.asked[1].rule == "rm-recursive:/home/ann/work/build"


async def test_always_is_written_to_the_grants() -> None:
    written: list[str] = []
    subject = gate(Person("always"), grants=ListedGrants(write=written.append))
    await check(subject, "git push --force")
    await check(subject, "git push -f origin main")
    assert written == ["git-push-force"]


async def test_always_holds_for_the_session_where_it_cannot_be_written() -> None:
    told: list[str] = []

    def refuse(rule: str) -> None:
        raise ConfigError("config.yaml is read-only")

    subject = gate(Person("always"), grants=ListedGrants(write=refuse), notify=told.append)
    await check(subject, "git push --force")
    await check(subject, "git push --force")
    assert "read-only" in told[0]


async def test_a_managed_installation_neither_offers_nor_stores_always() -> None:
    written: list[str] = []
    told: list[str] = []
    person = Person("always")
    subject = gate(
        person, grants=ListedGrants(write=written.append), managed=True, notify=told.append
    )
    await check(subject, "git push --force")
    await check(subject, "git push --force")
    assert "always" not in person.asked[0].choices
    assert not written
    assert "managed" in told[0]


@pytest.mark.parametrize("person", [None, NobodyToAsk()])
async def test_where_nobody_can_be_asked_the_answer_is_no(person: NobodyToAsk | None) -> None:
    with pytest.raises(DeniedError, match="nobody can be asked"):
        await check(gate(person), "rm -rf build")


async def test_silence_is_no() -> None:
    with pytest.raises(DeniedError, match="Nobody answered"):
        await check(gate(Silent(), timeout=0.01), "rm -rf build")


async def test_a_broken_asker_is_no() -> None:
    with pytest.raises(DeniedError, match="could not be asked"):
        await check(gate(Broken()), "rm -rf build")


async def test_an_answer_that_does_not_exist_is_no() -> None:
    person = Person()
    person.answers = ["yes"]  # pyright: ignore[reportAttributeAccessIssue] - a faulty asker
    with pytest.raises(DeniedError):
        await check(gate(person), "rm -rf build")


@pytest.mark.parametrize("options", [{"yolo": True}, {"mode": "off"}])
async def test_yolo_and_off_lift_questions_but_no_block(options: dict[str, object]) -> None:
    subject = gate(None, **options)
    await check(subject, "rm -rf build")
    for command in ("rm -rf /", "echo x > ~/.hermes/.env", "hermes config set approvals.mode off"):
        with pytest.raises(DeniedError, match="Blocked"):
            await check(subject, command)


async def test_yolo_can_be_switched_while_the_session_runs() -> None:
    subject = gate(None)
    subject.yolo = True
    await check(subject, "rm -rf build")
    subject.yolo = False
    with pytest.raises(DeniedError):
        await check(subject, "rm -rf build")


async def test_smart_means_manual_and_says_so_once() -> None:
    told: list[str] = []
    subject = gate(Person("once", "once"), mode="smart", notify=told.append)
    await check(subject, "rm -rf a")
    await check(subject, "rm -rf b")
    assert len(told) == 1
    assert "smart" in told[0]


@pytest.mark.parametrize("environment", ["docker", "podman"])
async def test_in_a_container_only_the_agents_own_policy_is_guarded(environment: str) -> None:
    subject = gate(None)
    await check(subject, "rm -rf /", environment)
    with pytest.raises(DeniedError):
        await check(subject, "echo x > ~/.hermes/config.yaml", environment)


async def test_deny_patterns_block_whatever_was_allowed() -> None:
    subject = gate(Person(), deny=["git push*"], grants=ListedGrants(["git-push-force"]), yolo=True)
    for command in ("git push --force", "cd x && git push", "bash -c 'git push'"):
        with pytest.raises(DeniedError, match=r"approvals\.deny"):
            await check(subject, command)
    await check(subject, "git pull")


@pytest.mark.parametrize("entry", ["rm -rf build", "rm-recursive:/home/ann/work/build"])
async def test_the_allow_list_takes_rules_and_exact_commands(entry: str) -> None:
    subject = gate(None, grants=ListedGrants([entry]))
    await check(subject, "rm -rf build")
    with pytest.raises(DeniedError):
        await check(subject, "rm -rf build src")


async def test_the_allow_list_lifts_no_block() -> None:
    with pytest.raises(DeniedError):
        await check(gate(None, grants=ListedGrants(["rm -rf /", "rm-vital:/"])), "rm -rf /")


async def test_what_is_shown_is_what_runs() -> None:
    person = Person("once")
    command = await check(gate(person), "ls \u200b-la\u202e")
    assert command == "ls -la" == person.asked[0].subject
    assert "always" not in person.asked[0].choices


async def test_questions_come_one_at_a_time_and_an_answer_covers_those_waiting() -> None:
    person = Person("session")
    subject = gate(person)
    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(check, subject, "rm -rf build")
    assert len(person.asked) == 1


async def code(subject: Gate, text: str, environment: str = "local") -> str:
    return await subject.check_code(text, environment=environment, tool="execute_code")


async def test_a_program_is_asked_about_whole() -> None:
    person = Person("once", "deny")
    subject = gate(person)
    assert await code(subject, "print(1)\nprint(2)") == "print(1)\nprint(2)"
    assert person.asked[0].subject == "print(1)\nprint(2)"
    assert person.asked[0].tool == "execute_code"
    with pytest.raises(DeniedError, match="Denied by the person"):
        await code(subject, "print(1)")


async def test_whoever_allowed_python_in_commands_has_allowed_programs() -> None:
    person = Person("session")
    subject = gate(person)
    await check(subject, "python3 -c 'print(1)'")
    await code(subject, "print(2)")
    assert len(person.asked) == 1


@pytest.mark.parametrize("environment", ["bubblewrap", "docker"])
async def test_a_program_that_is_confined_runs_without_a_question(environment: str) -> None:
    person = Person()
    assert await code(gate(person), "print(1)", environment) == "print(1)"


@pytest.mark.parametrize("environment", ["local", "bubblewrap"])
async def test_a_forbidden_program_runs_nowhere(environment: str) -> None:
    subject = gate(Person("once"), deny=("*rmtree*",), yolo=True)
    with pytest.raises(DeniedError, match="Blocked"):
        await code(subject, "import shutil\nshutil.rmtree('/x')", environment)


async def test_a_program_runs_as_it_was_shown() -> None:
    person = Person("session", "once")
    subject = gate(person)
    await code(subject, "x = 1")
    hidden = "if admin:\u202e run()"
    assert await code(subject, hidden) == "if admin: run()"
    assert person.asked[1].subject == "if admin: run()"
    assert "invisible" in person.asked[1].reason


async def test_with_nobody_to_ask_no_program_runs_on_the_bare_machine() -> None:
    for person in (None, NobodyToAsk()):
        with pytest.raises(DeniedError, match="nobody can be asked"):
            await code(gate(person), "print(1)")
