"""`hermes deploy prepare`: what stands there before the service starts."""

import json
import os
import stat
from pathlib import Path

import pytest
import yaml

import hermes_agent
from hermes_agent.config.load import load
from hermes_agent.config.paths import Paths
from hermes_agent.deploy.setup.errors import SetupFailed
from tests.deploy.ground import USER, Ground, seen

TABLE = json.loads(
    (Path(hermes_agent.__file__).parent / "deploy/data/permissions.json").read_text()
)


def mode(path: Path) -> str:
    return f"{stat.S_IMODE(path.lstat().st_mode):04o}"


def test_a_fresh_machine_gets_the_layout_of_the_table_of_permissions(ground: Ground) -> None:
    auth = ground.file("auth.json", '{"a": 1}')
    done = ground.prepare(authFile=auth, documents={"SOUL.md": {"text": "kind"}})
    assert done.changed
    assert (done.uid, done.gid) == (ground.uid, ground.gid)
    assert mode(ground.state) == TABLE["stateDir"]
    for name, wanted in TABLE["directories"].items():
        assert (name, mode(ground.state / name)) == (name, wanted)
    for name, wanted in TABLE["files"].items():
        path = ground.state / ("workspace/SOUL.md" if name == "document" else name)
        assert (name, mode(path)) == (name, wanted)
    assert {path.stat().st_uid for path in ground.state.rglob("*")} == {ground.uid}
    assert {path.stat().st_gid for path in ground.state.rglob("*")} == {ground.gid}


def test_the_second_time_nothing_is_touched(ground: Ground) -> None:
    spec = ground.spec(
        settings={"model": {"default": "a/b"}, "toolsets": ["all"]},
        documents={"SOUL.md": {"text": "kind"}, "notes/first.md": {"text": "x"}},
        authFile=ground.file("auth.json", "{}"),
    )
    first = ground.prepare(spec)
    places = (ground.state, ground.roots.registry, ground.roots.records)
    before = [seen(place) for place in places]
    second = ground.prepare(spec)
    assert [seen(place) for place in places] == before
    assert (first.changed, second.changed) == (True, False)
    assert first.generation == second.generation


def test_the_application_sees_a_managed_home_with_the_declared_settings(ground: Ground) -> None:
    ground.prepare(settings={"timezone": "Asia/Tokyo", "max_turns": 7})
    ground.config.write_text("timezone: Mine\n")
    loaded = load(Paths(ground.home), {}, registry=ground.roots.registry)
    assert loaded.managed is not None
    assert loaded.managed.manager.name == "NixOS"
    assert loaded.config.timezone == "Asia/Tokyo"
    assert loaded.config.agent.max_turns == 7
    elsewhere = load(Paths(ground.home), {}, registry=Path("/nonexistent")).managed
    assert elsewhere is not None
    assert elsewhere.signal == ".managed"


def test_the_registry_says_who_runs_what_where(ground: Ground) -> None:
    ground.prepare(addToSystemPackages=True, extraPackages=["/opt/tool"])
    file = ground.roots.registry / "homes" / "hermes-agent.json"
    entry = json.loads(file.read_text())
    about = ground.home.stat()
    assert entry["home"] == str(ground.home)
    assert (entry["device"], entry["inode"]) == (about.st_dev, about.st_ino)
    assert (entry["uid"], entry["gid"], entry["user"]) == (ground.uid, ground.gid, USER)
    assert (entry["name"], entry["mode"], entry["command"]) == ("hermes-agent", "native", True)
    assert entry["path"].startswith("/opt/tool/bin:/usr/bin:")
    assert entry["workspace"] == str(ground.state / "workspace")
    assert mode(file) == "0644"


def test_no_literal_secret_is_published_in_the_registry(ground: Ground) -> None:
    ground.prepare(
        settings={
            "model": {"default": "a/b", "api_key": "sk-literal"},
            "mcp_servers": {"x": {"command": "y", "env": {"GITHUB_TOKEN": "ghp-literal"}}},
            "auxiliary": {"vision": {"api_key": "${VISION_KEY}"}},
        }
    )
    text = (ground.roots.registry / "homes" / "hermes-agent.json").read_text()
    assert "literal" not in text
    assert "${VISION_KEY}" in text
    assert yaml.safe_load(ground.config.read_text())["model"]["api_key"] == "sk-literal"


def test_a_missing_user_or_group_is_said_with_the_command_that_makes_it(ground: Ground) -> None:
    with pytest.raises(SetupFailed, match="no user nobody-here") as caught:
        ground.prepare(user="nobody-here")
    assert "useradd" in str(caught.value.hint)
    with pytest.raises(SetupFailed, match="no group nobody-here") as caught:
        ground.prepare(group="nobody-here")
    assert "groupadd --system nobody-here" in str(caught.value.hint)
    assert not ground.state.exists()


def test_root_is_no_service_user(ground: Ground) -> None:
    with pytest.raises(SetupFailed, match="cannot run as root"):
        ground.prepare(user="root", group="root")


def test_a_state_directory_of_another_user_is_left_alone(ground: Ground) -> None:
    ground.state.mkdir()
    os.chown(ground.state, 12345, 12345)
    (ground.state / "data").write_text("x")
    before = seen(ground.state)
    with pytest.raises(SetupFailed, match="belongs to uid 12345") as caught:
        ground.prepare()
    assert "chown -R --no-dereference --from=12345" in str(caught.value.hint)
    assert seen(ground.state) == before


def test_a_state_directory_of_root_with_something_in_it_is_left_alone(ground: Ground) -> None:
    ground.state.mkdir()
    (ground.state / "data").write_text("x")
    with pytest.raises(SetupFailed, match="belongs to uid 0"):
        ground.prepare()
    (ground.state / "data").unlink()
    ground.prepare()
    assert ground.state.stat().st_uid == ground.uid


def test_directories_that_root_of_the_container_took_are_given_back_and_files_are_not(
    ground: Ground,
) -> None:
    spec = ground.spec()
    ground.prepare(spec)
    inner = ground.home / "skills" / "inner"
    inner.mkdir()
    theirs = ground.home / "logs" / "root.log"
    theirs.write_text("x")
    for path in (ground.state, ground.home, ground.home / "logs", ground.state / "workspace"):
        os.chown(path, 0, 0)
        path.chmod(0o700)
    ground.prepare(spec)
    for name, wanted in TABLE["directories"].items():
        assert ((ground.state / name).stat().st_uid, mode(ground.state / name)) == (
            ground.uid,
            wanted,
        )
    assert ground.state.stat().st_uid == ground.uid
    assert (inner.stat().st_uid, theirs.stat().st_uid) == (0, 0)


@pytest.mark.parametrize("loose", [0o777, 0o775])
def test_a_way_that_others_can_change_is_refused(ground: Ground, loose: int) -> None:
    way = ground.folder / "open"
    way.mkdir()
    way.chmod(loose)
    with pytest.raises(SetupFailed, match="cannot be trusted") as caught:
        ground.prepare(stateDir=f"{way}/state")
    assert f"chmod go-w {way}" in str(caught.value.hint)
    ground.own(way).chmod(0o755)
    with pytest.raises(SetupFailed, match=f"belongs to uid {ground.uid}"):
        ground.prepare(stateDir=f"{way}/state")
    assert not list(way.iterdir())


def test_a_way_through_a_link_names_the_real_place(ground: Ground) -> None:
    (ground.folder / "real").mkdir()
    (ground.folder / "link").symlink_to("real")
    with pytest.raises(SetupFailed, match="symbolic link") as caught:
        ground.prepare(stateDir=f"{ground.folder}/link/state")
    assert f"{ground.folder}/real/state" in str(caught.value.hint)


def test_a_working_directory_elsewhere_is_made_below_root_s_and_never_taken(
    ground: Ground,
) -> None:
    elsewhere = ground.folder / "srv" / "work"
    documents = {"USER.md": {"text": "me"}}
    ground.prepare(workingDirectory=str(elsewhere), documents=documents)
    assert (elsewhere.stat().st_uid, mode(elsewhere)) == (ground.uid, "2770")
    assert elsewhere.parent.stat().st_uid == 0
    assert (elsewhere / "USER.md").read_text() == "me"
    os.chown(elsewhere, 12345, 12345)
    elsewhere.chmod(0o777)
    ground.prepare(workingDirectory=str(elsewhere), documents={"USER.md": {"text": "you"}})
    assert (elsewhere.stat().st_uid, mode(elsewhere)) == (12345, "0777")
    assert (elsewhere / "USER.md").read_text() == "you"


def test_documents_of_a_container_go_to_the_host_s_side_of_its_volume(ground: Ground) -> None:
    """Somebody's own directory, below one that the service user may not enter."""
    home = ground.folder / "somebody"
    projects = home / "projects"
    projects.mkdir(parents=True)
    os.chown(home, 12345, 12345)
    home.chmod(0o700)
    (projects / "one").mkdir()
    (projects / "one").chmod(0o777)
    ground.prepare(
        workingDirectory="/projects/one",
        container={"enable": True, "extraVolumes": [f"{projects}:/projects:rw"]},
        documents={"USER.md": {"text": "me"}},
    )
    assert (projects / "one" / "USER.md").read_text() == "me"


def test_a_working_directory_in_somebody_s_home_is_not_made(ground: Ground) -> None:
    home = ground.folder / "somebody"
    home.mkdir()
    os.chown(home, 12345, 12345)
    with pytest.raises(SetupFailed, match="does not exist") as caught:
        ground.prepare(workingDirectory=f"{home}/work")
    assert "install -d" in str(caught.value.hint)


def test_two_deployments_cannot_share_a_home_or_a_name(ground: Ground) -> None:
    ground.prepare()
    with pytest.raises(SetupFailed, match="belongs to the deployment hermes-agent") as caught:
        ground.prepare(name="second")
    assert "rm " in str(caught.value.hint)
    with pytest.raises(SetupFailed, match="another deployment called hermes-agent"):
        ground.prepare(stateDir=str(ground.folder / "other"))
    ground.prepare(name="second", stateDir=str(ground.folder / "other"))


def test_a_deployment_may_move_when_its_old_home_is_gone(ground: Ground) -> None:
    ground.prepare()
    moved = ground.folder / "moved"
    ground.state.rename(moved)
    ground.prepare(stateDir=str(moved))
    entry = json.loads((ground.roots.registry / "homes" / "hermes-agent.json").read_text())
    assert entry["home"] == f"{moved}/.hermes"


def test_links_for_the_state_directory_are_put_there_at_once_and_once(ground: Ground) -> None:
    from hermes_agent.deploy.places import Places
    from hermes_agent.deploy.setup.prepare import prepare

    spec = ground.spec()
    places = Places.of(spec, ground.roots)
    prepare(spec, places, links={"current-package": "/nix/store/one"})
    link = ground.state / "current-package"
    assert (os.readlink(link), link.lstat().st_uid) == ("/nix/store/one", ground.uid)
    before = link.lstat()
    prepare(spec, places, links={"current-package": "/nix/store/one"})
    assert link.lstat() == before
    prepare(spec, places, links={"current-package": "/nix/store/two"})
    assert os.readlink(link) == "/nix/store/two"


def test_the_runtime_folder_is_made_anew_and_furnished_before_it_is_seen(ground: Ground) -> None:
    from hermes_agent.deploy.places import Places
    from hermes_agent.deploy.setup.prepare import prepare

    spec = ground.spec()
    places = Places.of(spec, ground.roots)
    prepare(spec, places, furnish=lambda folder: (folder / "notify").touch())
    assert sorted(path.name for path in places.runtime.iterdir()) == ["environment", "notify"]
    assert (mode(places.runtime), mode(places.environment)) == ("0755", "0600")
    prepare(spec, places)
    assert [path.name for path in places.runtime.iterdir()] == ["environment"]
    assert sorted(path.name for path in ground.roots.runtime.iterdir()) == [".lock", spec.name]


def test_a_broken_off_furnishing_leaves_the_old_folder(ground: Ground) -> None:
    from hermes_agent.deploy.places import Places
    from hermes_agent.deploy.setup.prepare import prepare

    def fail(folder: Path) -> None:
        raise OSError(28, "No space left on device")

    spec = ground.spec(environment={"A": "1"})
    ground.prepare(spec)
    with pytest.raises(SetupFailed, match="No space left"):
        prepare(ground.spec(environment={"A": "2"}), Places.of(spec, ground.roots), furnish=fail)
    assert "A=1\n" in ground.environment()


def test_a_person_s_own_service_needs_no_root_and_opens_nothing_to_a_group(ground: Ground) -> None:
    from hermes_agent.deploy.places import Places
    from hermes_agent.deploy.setup.prepare import prepare

    ground.state.mkdir(mode=0o755)
    spec = ground.spec(scope="user", manager="home-manager", documents={"A.md": {"text": "a"}})
    done = prepare(spec, Places.of(spec, ground.roots))
    assert done.uid == os.geteuid()
    assert "HOME" not in done.environment
    assert done.environment["HERMES_MANAGED"] == "home-manager"
    assert mode(ground.state) == "0755"
    assert {mode(path)[-2:] for path in ground.state.rglob("*")} == {"00"}
    assert (ground.home / ".managed").read_text() == "home-manager\n"
