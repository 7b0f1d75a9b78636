"""Files leave the machine only in an answer, only to those who have tools, and never secrets."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from hermes_agent.domain.chats import Origin, Post, Target
from hermes_agent.domain.jobs import NewJob
from hermes_agent.platforms.base import PlatformDown
from tests.gateway.house import House, house
from tests.gateway.scripted import ScriptedPlatform
from tests.servers.script import Call, Fault, Reply


class Away(ScriptedPlatform):
    """Cannot be reached at the first attempt, and something happens meanwhile."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        super().__init__(media=("document",))
        self._meanwhile: Callable[[], None] | None = meanwhile

    async def send(self, target: Target, post: Post, key: str) -> str:
        meanwhile, self._meanwhile = self._meanwhile, None
        if meanwhile is not None:
            meanwhile()
            raise PlatformDown("away", retry_after=0.01)
        return await super().send(target, post, key)


def _person() -> ScriptedPlatform:
    return ScriptedPlatform(media=("image", "document"))


def _secret(home: Path) -> Path:
    home.mkdir(exist_ok=True)
    secret = home / ".env"
    secret.write_text("SOME_TOKEN=very-secret\n")
    return secret


def _brought(place: House) -> list[str]:
    return [file.path for each in place.person.shown for file in each.post.attachments]


def _paper(tmp_path: Path) -> Path:
    paper = tmp_path / "user" / "paper.pdf"
    paper.write_bytes(b"%PDF of the owner's")
    return paper


async def test_an_answer_brings_the_file_that_it_names(home: Path, tmp_path: Path) -> None:
    paper = _paper(tmp_path)
    async with house(home, person=_person()) as place:
        place.model.say(Reply(text=f"Here it is.\n\nMEDIA:{paper}"))
        await place.person.say("my paper, please")
        shown = await place.person.sees("Here it is.")
        await place.settled()
        assert _brought(place) == [str(paper)]
        assert "MEDIA" not in shown.text


@pytest.mark.parametrize("streaming", ["false", "true"])
async def test_a_guest_gets_no_files(home: Path, tmp_path: Path, streaming: str) -> None:
    paper = _paper(tmp_path)
    config = f"streaming: {{enabled: {streaming}, buffer_threshold: 1, edit_interval: 0}}\n"
    async with house(home, person=_person(), config=config, TELEGRAM_GUESTS="2") as place:
        place.model.say(
            Reply(text=f"First.\nMEDIA:{paper}", calls=(Call("todo", {}),)),
            Reply(text=f"Here it is.\n\nMEDIA:{paper}", chunks=6),
        )
        await place.person.say("say MEDIA and the path", user="2", chat="2")
        await place.person.sees("Here it is.")
        await place.settled()
        assert not _brought(place)
        assert any(f"MEDIA:{paper}" in text for text in place.person.texts())


@pytest.mark.parametrize("command", ["/title MEDIA:{}", "/model MEDIA:{}", "/busy\n{}", "/undo"])
async def test_the_reply_to_a_command_brings_no_file(
    home: Path, tmp_path: Path, command: str
) -> None:
    paper = _paper(tmp_path)
    async with house(home, person=_person()) as place:
        place.model.say(Reply(text="Hello."))
        await place.person.say(f"MEDIA:{paper}")
        await place.person.sees("Hello.")
        await place.person.say(command.format(paper))
        await place.person.until(lambda: len(place.person.shown) == 2)
        await place.settled()
        assert not _brought(place)


async def test_neither_a_question_nor_progress_brings_a_file(home: Path, tmp_path: Path) -> None:
    paper = _paper(tmp_path)
    async with house(home, person=_person(), config="display: {tool_progress: all}\n") as place:
        place.model.say(
            Reply(calls=(Call("terminal", {"command": f"echo MEDIA:{paper}"}),)),
            Reply(calls=(Call("clarify", {"question": f"This?\nMEDIA:{paper}"}),)),
            Reply(text="Well."),
        )
        await place.person.say("begin")
        await place.person.sees("This?")
        await place.person.say("no")
        await place.person.sees("Well.")
        await place.settled()
        assert not _brought(place)


@pytest.mark.parametrize("way", ["itself", "link", "hard link"])
async def test_no_answer_brings_a_secret(home: Path, tmp_path: Path, way: str) -> None:
    secret = _secret(home)
    path = tmp_path / "user" / "picture.png"
    if way == "link":
        path.symlink_to(secret)
    elif way == "hard link":
        path.hardlink_to(secret)
    else:
        path = secret
    async with house(home, person=_person()) as place:
        place.model.say(Reply(text=f"Look.\n\nMEDIA:{path}\n\nMEDIA:/etc/shadow"))
        await place.person.say("show me")
        await place.person.sees("Look.")
        await place.settled()
        assert not _brought(place)


@pytest.mark.parametrize("name", ["config.yaml", "state.db", "sessions/a.png", "gateway.db"])
async def test_what_the_agent_keeps_of_itself_stays(home: Path, tmp_path: Path, name: str) -> None:
    async with house(home, person=_person()) as place:
        kept = home / name
        kept.touch()
        link = tmp_path / "user" / "picture.png"
        link.symlink_to(kept)
        twin = tmp_path / "user" / "twin.png"
        twin.hardlink_to(home / "config.yaml")
        place.model.say(Reply(text=f"Look.\n\nMEDIA:{kept}\n\nMEDIA:{link}\n\nMEDIA:{twin}"))
        await place.person.say("show me")
        await place.person.sees("Look.")
        await place.settled()
        assert not _brought(place)


async def test_what_the_agent_made_for_people_leaves(home: Path) -> None:
    async with house(home, person=_person()) as place:
        made = home / "image_cache" / "tree.png"
        made.parent.mkdir()
        made.write_bytes(b"a tree")
        place.model.say(Reply(text=f"A tree.\n\n![tree]({made})"))
        await place.person.say("draw a tree")
        await place.person.sees("A tree.")
        await place.settled()
        assert _brought(place) == [str(made)]


async def test_where_no_tool_reads_files_no_answer_brings_any(home: Path, tmp_path: Path) -> None:
    paper = _paper(tmp_path)
    config = "platform_toolsets: {telegram: [web, todo]}\n"
    async with house(home, person=_person(), config=config) as place:
        place.model.say(Reply(text=f"Here it is.\n\nMEDIA:{paper}"))
        await place.person.say("my paper, please")
        await place.person.sees("Here it is.")
        await place.settled()
        assert not _brought(place)


async def test_a_platform_without_persons_brings_no_files(home: Path, tmp_path: Path) -> None:
    paper = _paper(tmp_path)
    async with house(home, person=ScriptedPlatform("webhook", media=("document",))) as place:
        place.model.say(Reply(text=f"Here it is.\n\nMEDIA:{paper}"))
        await place.person.say("an issue was opened: attach the paper")
        await place.person.sees("Here it is.")
        await place.settled()
        assert not _brought(place)


async def test_the_output_of_a_persons_own_command_brings_no_file(
    home: Path, tmp_path: Path
) -> None:
    paper = _paper(tmp_path)
    printed = tmp_path / "user" / "printed"
    printed.write_text(f"```\nMEDIA:{paper}\n")
    config = f"quick_commands: {{show: {{type: exec, command: 'cat {printed}'}}}}\n"
    async with house(home, person=_person(), config=config) as place:
        await place.person.say("/show")
        await place.person.sees("MEDIA:")
        await place.settled()
        assert not _brought(place)


async def test_an_error_of_the_models_server_brings_no_file(home: Path, tmp_path: Path) -> None:
    paper = _paper(tmp_path)
    async with house(home, person=_person(), config="agent: {api_max_retries: 0}\n") as place:
        place.model.say(Fault.http(400, f"no\nMEDIA:{paper}\nyes"))
        await place.person.say("hello")
        await place.person.sees("/retry")
        await place.settled()
        assert not _brought(place)


async def test_a_file_that_became_a_secret_before_it_is_sent_stays(
    home: Path, tmp_path: Path
) -> None:
    paper = _paper(tmp_path)
    secret = _secret(home)

    def exchange() -> None:
        paper.unlink()
        paper.symlink_to(secret)

    async with house(home, person=Away(exchange)) as place:
        place.model.say(Reply(text=f"Here it is.\n\nMEDIA:{paper}"))
        await place.person.say("my paper, please")
        await place.person.sees("Here it is.")
        await place.settled()
        assert not _brought(place)


@pytest.mark.parametrize(
    ("origin", "brings"),
    [
        (None, True),
        (Origin(platform="telegram", chat_id="1", user_id="1"), True),
        (Origin(platform="telegram", chat_id="2", user_id="2"), False),
        (Origin(platform="telegram", chat_id="3", user_id="3"), False),
        (Origin(platform="webhook", chat_id="ci"), False),
    ],
)
async def test_a_jobs_answer_brings_files_by_who_made_it(
    home: Path, tmp_path: Path, origin: Origin | None, brings: bool
) -> None:
    paper = _paper(tmp_path)
    async with house(home, person=_person(), TELEGRAM_GUESTS="2") as place:
        place.model.say(Reply(text=f"The paper.\n\nMEDIA:{paper}"))
        await _job(place, NewJob(schedule="every 1h", prompt="the paper", origin=origin))
        await place.person.sees("The paper.")
        await place.settled()
        assert _brought(place) == ([str(paper)] if brings else [])


async def test_neither_a_jobs_name_nor_what_a_script_prints_brings_a_file(
    home: Path, tmp_path: Path
) -> None:
    paper = _paper(tmp_path)
    async with house(home, person=_person()) as place:
        (home / "scripts").mkdir()
        (home / "scripts" / "good.sh").write_text(f"echo MEDIA:{paper}")
        (home / "scripts" / "bad.sh").write_text(f"echo MEDIA:{paper}; exit 1")
        for script in ("good.sh", "bad.sh"):
            await _job(
                place,
                NewJob(schedule="every 1h", name=f"MEDIA:{paper}", script=script, no_agent=True),
            )
        await place.person.sees("ended with 1")
        await place.person.sees("every")
        await place.settled()
        assert not _brought(place)


async def _job(place: House, new: NewJob) -> None:
    book = place.running.jobs
    made = book.create(msgspec.structs.replace(new, deliver="telegram:1"))
    book.run(made.id)
    place.running.pump.wake()
