"""Which deployment plain `hermes` means."""

from pathlib import Path

import pytest

from hermes_agent.deploy.host.choosing import Caller, choose
from hermes_agent.deploy.host.registry import Deployment
from hermes_agent.domain.errors import DeniedError, UsageError

MEMBER, STRANGER, KEEPER = 1001, 1002, 900


def deployment(home: Path | str, **changed: object) -> Deployment:
    return Deployment(
        name="assistant",
        home=str(home),
        uid=KEEPER,
        gid=900,
        user="keeper",
        group="keepers",
        package="/opt/agent",
        command=True,
    )._replace(**changed)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "state" / ".hermes"
    home.mkdir(parents=True)
    return home


@pytest.fixture
def people(tmp_path: Path) -> Path:
    (tmp_path / "person").mkdir()
    return tmp_path / "person"


def caller(people: Path, uid: int = MEMBER) -> Caller:
    groups = frozenset((uid, 900) if uid == MEMBER else (uid,))
    return Caller(uid, groups, str(people))


def test_without_a_deployment_the_home_is_ones_own(people: Path) -> None:
    assert choose([], caller(people), {}) is None
    assert choose([], caller(people), {"HERMES_HOME": "/somewhere"}) is None


@pytest.mark.parametrize("uid", [0, MEMBER, STRANGER, KEEPER])
def test_the_one_with_a_command_is_meant(home: Path, people: Path, uid: int) -> None:
    found = deployment(home)
    assert choose([found], caller(people, uid), {}) == found
    assert choose([found], caller(people, uid), {"HERMES_HOME": "  "}) == found


def test_one_without_a_command_is_meant_by_name_only(home: Path, people: Path) -> None:
    found = deployment(home, command=False)
    assert choose([found], caller(people), {}) is None
    assert choose([found], caller(people), {"HERMES_HOME": str(home)}) == found


def test_a_home_of_ones_own_stays_with_those_who_are_not_of_the_group(
    home: Path, people: Path
) -> None:
    (people / ".hermes").mkdir()
    found = deployment(home)
    assert choose([found], caller(people, STRANGER), {}) is None
    assert choose([found], caller(people, MEMBER), {}) == found
    assert choose([found], caller(people, 0), {}) == found


def test_a_link_in_ones_home_to_the_registered_one_means_it(home: Path, people: Path) -> None:
    (people / ".hermes").symlink_to(home)
    found = deployment(home, command=False)
    assert choose([found], caller(people, STRANGER), {}) == found


def test_a_home_is_known_by_device_and_inode_too(home: Path, people: Path) -> None:
    about = home.stat()
    found = deployment("/gone", device=about.st_dev, inode=about.st_ino)
    assert choose([found], caller(people), {"HERMES_HOME": str(home)}) == found


def test_a_home_that_one_may_not_enter_is_known_by_its_name(people: Path) -> None:
    found = deployment("/proc/1/root/nowhere/.hermes")
    named = {"HERMES_HOME": "/proc/1/root/nowhere/x/../.hermes/"}
    assert choose([found], caller(people), named) == found


def test_a_folder_of_the_services_user_is_not_ones_own(home: Path, people: Path) -> None:
    planted = people / "planted"
    planted.mkdir()
    found = deployment(home, uid=planted.stat().st_uid)
    with pytest.raises(DeniedError, match="belongs to keeper"):
        choose([found], caller(people, MEMBER), {"HERMES_HOME": str(planted)})
    same = caller(people, planted.stat().st_uid)
    assert choose([found], same, {"HERMES_HOME": str(planted)}) is None


def test_two_with_a_command_have_to_be_told_apart(home: Path, people: Path) -> None:
    both = [deployment(home), deployment("/srv/.hermes", name="second", uid=901)]
    with pytest.raises(UsageError, match="assistant and second") as caught:
        choose(both, caller(people), {})
    assert f"HERMES_HOME={home} hermes" in (caught.value.hint or "")
    assert choose(both, caller(people), {"HERMES_HOME": "/srv/.hermes"}) == both[1]
    assert choose(both, caller(people, KEEPER), {}) == both[0]
    (people / ".hermes").mkdir()
    assert choose(both, caller(people, STRANGER), {}) is None


def test_somebody_without_a_home_directory_is_no_exception(home: Path) -> None:
    found = deployment(home)
    nobody = Caller(STRANGER, frozenset({STRANGER}), "")
    assert choose([found], nobody, {}) == found
