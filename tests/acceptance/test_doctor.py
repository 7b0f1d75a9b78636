"""`hermes doctor`: it finds what is wrong, and --fix mends it without losing anything."""

import json
from typing import Any

from tests.acceptance.hermes import Hermes, Ran
from tests.servers.model import ModelServer
from tests.servers.script import Reply


def problems(ran: Ran) -> list[dict[str, Any]]:
    return [row for row in json.loads(ran.out) if row["level"] == "problem"]


def test_a_sound_home_is_sound(hermes: Hermes, server: ModelServer) -> None:
    (hermes.home / "config.yaml").chmod(0o600)
    server.say(Reply(text="fine"))
    hermes.run("-q", "hi")
    ran = hermes.run("doctor")
    assert ran.status == 0, ran.out
    assert "answers and lists 1 models" in ran.out


def test_loose_modes_are_made_private(hermes: Hermes) -> None:
    (hermes.home / ".env").write_text("A_TOKEN=x\n")
    (hermes.home / ".env").chmod(0o644)
    assert hermes.run("doctor", "--offline").status == 1
    assert hermes.run("doctor", "--offline", "--fix").status == 0
    for name in (".env", "config.yaml"):
        assert (hermes.home / name).stat().st_mode & 0o777 == 0o600


def test_a_torn_database_is_kept_aside_and_what_can_be_read_is_saved(
    hermes: Hermes, server: ModelServer
) -> None:
    server.always(Reply(text="fine"))
    for number in range(3):
        hermes.run("-q", f"question {number}")
    database = hermes.home / "state.db"
    whole = database.read_bytes()
    torn = whole[: len(whole) - 5 * 4096]
    database.write_bytes(torn)
    for name in ("state.db-wal", "state.db-shm"):
        (hermes.home / name).unlink(missing_ok=True)
    ran = hermes.run("doctor", "--offline", "--fix")
    assert ran.status == 0, ran.out
    assert "mended: saved" in ran.out
    kept = next(
        path
        for path in hermes.home.glob("state.db.damaged-*")
        if not path.name.endswith(("-wal", "-shm"))
    )
    assert kept.read_bytes() == torn
    assert hermes.run("-q", "again").status == 0
    assert hermes.run("doctor", "--offline").status == 0


def test_a_file_that_is_no_database_is_named_then_kept_aside(
    hermes: Hermes, server: ModelServer
) -> None:
    (hermes.home / "state.db").write_bytes(b"garbage" * 999)
    ran = hermes.run("-c", "-q", "hi")
    assert ran.status == 1
    assert "hermes doctor --fix" in ran.err
    assert (hermes.home / "state.db").read_bytes() == b"garbage" * 999
    assert hermes.run("doctor", "--offline", "--fix").status == 0
    assert next(hermes.home.glob("state.db.damaged-*")).read_bytes() == b"garbage" * 999
    server.say(Reply(text="fine"))
    assert hermes.run("-q", "hi").out == "fine\n"


def test_a_broken_env_file_keeps_its_good_lines_and_a_copy(hermes: Hermes) -> None:
    torn = b"# mine\nGOOD_API_KEY=one\n\xff\xfe\x00\nOTHER_TOKEN='two'\nTORN='never closed\n"
    (hermes.home / ".env").write_bytes(torn)
    assert hermes.run("-q", "hi").status == 78
    ran = hermes.run("doctor", "--offline", "--fix")
    assert "left out line(s) 3, 5" in ran.out
    assert (hermes.home / ".env").read_text() == "# mine\nGOOD_API_KEY=one\nOTHER_TOKEN='two'\n"
    kept = next(hermes.home.glob(".env.damaged-*"))
    assert kept.read_bytes() == torn
    assert kept.stat().st_mode & 0o777 == 0o600
    assert hermes.run("doctor", "--offline").status == 0


def test_a_broken_config_does_not_keep_it_from_the_rest(hermes: Hermes) -> None:
    (hermes.home / "config.yaml").write_text("model: [\n")
    (hermes.home / "state.db").write_bytes(b"garbage" * 999)
    found = problems(hermes.run("doctor", "--offline", "--json"))
    assert "line 2" in found[0]["text"]
    assert any("is damaged" in row["text"] for row in found)
    assert (hermes.home / "config.yaml").read_text() == "model: [\n"


def test_json_mends_too_and_says_what_it_did(hermes: Hermes) -> None:
    ran = hermes.run("doctor", "--offline", "--fix", "--json")
    assert ran.status == 0
    assert "made private: config.yaml" in [row["mended"] for row in json.loads(ran.out)]


def test_a_model_server_that_is_away_is_a_problem(hermes: Hermes, server: ModelServer) -> None:
    server.close()
    ran = hermes.run("doctor", "--json")
    assert ran.status == 1
    assert any(row["area"] == "model" for row in problems(ran))


def test_the_api_server_says_where_it_is_and_what_keeps_it_from_starting(hermes: Hermes) -> None:
    ran = hermes.run("doctor", "--offline", API_SERVER_ENABLED="1", API_SERVER_PORT="8765")
    assert "http://127.0.0.1:8765/v1" in ran.out
    assert "api_server.key" in ran.out
    ran = hermes.run("doctor", "--offline", API_SERVER_ENABLED="1", API_SERVER_PORT="abc")
    assert ran.status == 1
    assert "API_SERVER_PORT" in ran.out


def test_names_among_ids_and_unknown_platforms_are_problems(hermes: Hermes) -> None:
    hermes.configure("platforms: {telegramm: {enabled: true}}\n")
    variables = {"TELEGRAM_BOT_TOKEN": "42:token", "TELEGRAM_ALLOWED_USERS": "17,ann"}
    ran = hermes.run("doctor", "--offline", "--json", **variables)
    found = [row["text"] for row in problems(ran) if row["area"] == "gateway"]
    assert any("telegramm" in text for text in found)
    assert any("'ann'" in text for text in found)
    assert not any("'17'" in text for text in found)
