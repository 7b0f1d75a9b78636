"""Who may come in: keys, hosts, pages of browsers, and what nobody but the owner sees."""

import stat
from pathlib import Path
from typing import Any

import httpx2
import pytest

from hermes_agent.domain.errors import ConfigError
from tests.integration.api_house import KEY, House, house
from tests.integration.api_jobs import BoardOfCards
from tests.old_home.builder import write
from tests.servers.script import Reply

HELLO: Any = {"messages": [{"role": "user", "content": "hello"}]}
PAGE = "https://chat.example.org"


async def bare(at: House, method: str, path: str, **more: Any) -> httpx2.Response:
    """A request without the key."""
    async with httpx2.AsyncClient(base_url=at.url) as client:
        return await client.request(method, path, **more)


async def test_health_is_all_that_can_be_seen_without_the_key(home: Path) -> None:
    async with house(home) as at:
        assert (await bare(at, "GET", "/health")).json()["status"] == "ok"
        for method, path in (
            ("GET", "/v1/models"),
            ("POST", "/v1/chat/completions"),
            ("GET", "/health/detailed"),
            ("GET", "/metrics"),
            ("GET", "/openapi.json"),
            ("GET", "/api/sessions"),
            ("GET", "/nowhere"),
            ("PUT", "/v1/models"),
        ):
            answer = await bare(at, method, path)
            assert answer.status_code == 401, path
            assert answer.headers["www-authenticate"] == "Bearer"
            assert answer.json()["error"]["code"] == "invalid_api_key"


async def test_only_the_very_key_in_the_header_opens(home: Path) -> None:
    async with house(home) as at:
        for given in ("Bearer", "", f"Bearer {KEY}x", f"Bearer {KEY[:-1]}", f"Basic {KEY}"):
            answer = await bare(at, "GET", "/v1/models", headers={"authorization": given})
            assert answer.status_code == 401, given
        raw = {"authorization": b"Bearer \xff\xfe"}
        assert (await bare(at, "GET", "/v1/models", headers=raw)).status_code == 401
        in_url = await bare(at, "GET", f"/v1/models?api_key={KEY}")
        assert in_url.status_code == 401
        small = {"authorization": f"bearer {KEY}"}
        assert (await bare(at, "GET", "/v1/models", headers=small)).status_code == 200


async def test_a_key_in_the_address_is_not_repeated_in_the_answer(home: Path) -> None:
    async with house(home) as at:
        answer = await at.http.get(f"/v1/models?api_key={KEY}")
        assert answer.status_code == 400
        assert KEY not in answer.text


async def test_without_a_configured_key_one_is_made_that_only_the_owner_reads(home: Path) -> None:
    async with house(home, key=None) as at:
        path = home / "api_server.key"
        assert at.server.key_file == path
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        made = path.read_text().strip()
        assert len(made) == 64
        answer = await bare(at, "GET", "/v1/models", headers={"authorization": f"Bearer {made}"})
        assert answer.status_code == 200
    async with house(home, key=None):
        assert path.read_text().strip() == made


async def test_other_addresses_than_loopback_need_a_configured_key(home: Path) -> None:
    with pytest.raises(ConfigError, match="without a key"):
        async with house(home, key=None, host="0.0.0.0"):
            pass
    assert not (home / "api_server.key").exists()


async def test_an_address_in_use_is_a_fault_of_the_configuration(home: Path) -> None:
    async with house(home) as at:
        with pytest.raises(ConfigError, match=f"127.0.0.1:{at.server.port}: Address already in"):
            async with house(home / "other", port=at.server.port):
                pass


async def test_a_name_that_was_pointed_here_is_refused(home: Path) -> None:
    async with house(home, allowed_hosts=("box.lan",)) as at:
        port = at.server.port
        for name in ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example", "10.0.0.1"):
            answer = await at.http.get("/health", headers={"host": name})
            assert answer.status_code == 403, name
        for name in ("localhost", f"127.0.0.1:{port}", "[::1]:80", "box.lan", "BOX.lan:1"):
            answer = await at.http.get("/health", headers={"host": name})
            assert answer.status_code == 200, name


async def test_pages_of_other_origins_may_not_call(home: Path) -> None:
    async with house(home) as at:
        for origin in (PAGE, "null", "http://127.0.0.1.evil.example"):
            answer = await at.http.get("/v1/models", headers={"origin": origin})
            assert answer.status_code == 403
            assert "access-control-allow-origin" not in answer.headers
        same = await at.http.get("/v1/models", headers={"origin": at.url})
        assert same.status_code == 200


async def test_pages_on_the_list_may_ask_before_they_call(home: Path) -> None:
    async with house(home, cors_origins=(PAGE,)) as at:
        asked = await bare(
            at,
            "OPTIONS",
            "/v1/chat/completions",
            headers={
                "origin": PAGE,
                "access-control-request-method": "POST",
                "access-control-request-headers": "authorization, content-type",
            },
        )
        assert asked.status_code == 204
        assert asked.headers["access-control-allow-origin"] == PAGE
        assert "POST" in asked.headers["access-control-allow-methods"]
        assert "authorization" in asked.headers["access-control-allow-headers"]
        at.model.say(Reply(text="x"))
        answer = await at.http.post("/v1/chat/completions", json=HELLO, headers={"origin": PAGE})
        assert answer.headers["access-control-allow-origin"] == PAGE
        assert "x-hermes-session-id" in answer.headers["access-control-expose-headers"]
        refused = await bare(at, "GET", "/v1/models", headers={"origin": PAGE})
        assert refused.status_code == 401
        assert refused.headers["access-control-allow-origin"] == PAGE


async def test_figures_are_told_with_those_of_the_server_itself(home: Path) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    async with house(home) as at:
        await at.http.get("/v1/models")
        await at.http.get("/nowhere")
        answer = await at.http.get("/metrics")
        found = {family.name: family for family in text_string_to_metric_families(answer.text)}
        assert found["hermes_up"].samples[0].value == 1
        counted = {
            (sample.labels["route"], sample.labels["status"]): sample.value
            for sample in found["hermes_api_requests"].samples
        }
        assert counted["/v1/models", "200"] == 1
        assert counted["", "404"] == 1


async def test_sessions_can_be_looked_at_named_and_removed(home: Path) -> None:
    async with house(home) as at:
        at.model.say(Reply(text="one"), Reply(text="two"))
        first = await at.http.post("/v1/chat/completions", json=HELLO)
        second = await at.http.post("/v1/chat/completions", json=HELLO)
        name = first.headers["x-hermes-session-id"]
        listed = (await at.http.get("/api/sessions")).json()["data"]
        assert {each["id"] for each in listed} == {name, second.headers["x-hermes-session-id"]}
        assert len((await at.http.get("/api/sessions?limit=1")).json()["data"]) == 1
        assert (await at.http.get("/api/sessions?source=telegram")).json()["data"] == []
        one = (await at.http.get(f"/api/sessions/{name}")).json()
        assert (one["source"], one["message_count"]) == ("api_server", 2)
        said = (await at.http.get(f"/api/sessions/{name}/messages")).json()
        assert [(m["role"], m["content"]) for m in said["data"]] == [
            ("user", "hello"),
            ("assistant", "one"),
        ]
        rest = await at.http.get(
            f"/api/sessions/{name}/messages?after={said['data'][0]['id']}&limit=1"
        )
        assert [m["content"] for m in rest.json()["data"]] == ["one"]
        named = await at.http.patch(f"/api/sessions/{name}", json={"title": " My  talk "})
        assert named.json()["title"] == "My talk"
        other = second.headers["x-hermes-session-id"]
        taken = await at.http.patch(f"/api/sessions/{other}", json={"title": "My talk"})
        assert taken.status_code == 409
        assert (await at.http.delete(f"/api/sessions/{name}")).json()["deleted"] is True
        assert (await at.http.get(f"/api/sessions/{name}")).status_code == 404
        for query in ("limit=0", "limit=x", "limit=1&limit=2", "order=up", "limit=%ff"):
            assert (await at.http.get(f"/api/sessions?{query}")).status_code == 400, query


async def test_a_session_with_a_turn_in_it_is_not_removed(home: Path) -> None:
    import asyncio
    import threading

    from tests.integration.api_house import until

    async with house(home) as at:
        hold, reached = threading.Event(), threading.Event()
        at.model.say(Reply(text="slow", hold=hold, reached=reached))
        key = {"x-hermes-session-key": "busy"}
        asking = asyncio.create_task(at.http.post("/v1/chat/completions", json=HELLO, headers=key))
        await until(reached.is_set)
        name = at.store.list()[0].id
        assert (await at.http.delete(f"/api/sessions/{name}")).status_code == 409
        hold.set()
        assert (await asking).status_code == 200
        assert (await at.http.delete(f"/api/sessions/{name}")).status_code == 200


async def test_jobs_are_kept_on_the_board_that_was_given(home: Path) -> None:
    board = BoardOfCards()
    async with house(home, jobs=board) as at:
        made = await at.http.post("/api/jobs", json={"prompt": "wake", "schedule": "0 9 * * *"})
        assert made.status_code == 201
        name = made.json()["id"]
        assert [each["id"] for each in (await at.http.get("/api/jobs")).json()["data"]] == [name]
        changed = await at.http.patch(f"/api/jobs/{name}", json={"prompt": "sleep"})
        assert changed.json()["prompt"] == "sleep"
        assert (await at.http.post(f"/api/jobs/{name}/pause")).json()["state"] == "paused"
        assert (await at.http.post(f"/api/jobs/{name}/resume")).json()["state"] == "scheduled"
        assert (await at.http.post(f"/api/jobs/{name}/run")).status_code == 200
        assert board.ran == [name]
        bad = await at.http.post("/api/jobs", json={"prompt": "x", "schedule": "never"})
        assert bad.status_code == 400
        assert (await at.http.delete(f"/api/jobs/{name}")).status_code == 200
        assert (await at.http.get(f"/api/jobs/{name}")).status_code == 404


async def test_without_a_scheduler_jobs_are_said_to_be_missing(home: Path) -> None:
    async with house(home) as at:
        answer = await at.http.get("/api/jobs")
        assert answer.status_code == 501
        assert answer.json()["error"]["code"] == "no_scheduler"


async def test_what_the_server_can_do_is_told_truly(home: Path) -> None:
    write(home / "skills/brew/SKILL.md", "---\nname: brew\ndescription: Brews.\n---\nBoil.\n")
    async with house(home) as at:
        told = (await at.http.get("/v1/capabilities")).json()
        assert told["model"] == "scripted-model"
        assert "POST /v1/chat/completions" in told["endpoints"]
        sets = {each["id"]: each for each in (await at.http.get("/v1/toolsets")).json()["data"]}
        assert "terminal" in sets["terminal"]["tools"]
        skills = {each["id"] for each in (await at.http.get("/v1/skills")).json()["data"]}
        assert "brew" in skills
        health = (await at.http.get("/health/detailed")).json()
        assert health["status"] == "ok"
        assert health["version"]
