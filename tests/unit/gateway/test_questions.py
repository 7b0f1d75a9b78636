"""Questions in chats: a press or a word answers, silence is a no."""

import asyncio

import pytest

from hermes_agent.domain.asking import ApprovalRequest
from hermes_agent.domain.chats import Button, Target
from hermes_agent.gateway.questions import ChatAsker, Questions

HERE = Target(platform="telegram", chat_id="1")
THERE = Target(platform="telegram", chat_id="99")
REQUEST = ApprovalRequest(tool="terminal", subject="rm -r x", reason="Deletes.", rule="rm")


class Chat:
    """Where questions are put."""

    def __init__(self) -> None:
        self.put: asyncio.Queue[tuple[Target, str, tuple[Button, ...]]] = asyncio.Queue()
        self.questions = Questions(self._ask)

    async def _ask(self, target: Target, text: str, buttons: tuple[Button, ...]) -> None:
        await self.put.put((target, text, buttons))

    def asker(
        self,
        *,
        approver: Target | None = HERE,
        may_always: bool = True,
        timeout: float = 20,
        key: str = "k",
        asked_by: str = "Eve",
    ) -> ChatAsker:
        return ChatAsker(
            self.questions,
            key=key,
            target=HERE,
            approver=approver,
            may_always=may_always,
            asked_by=asked_by,
            approval_timeout=timeout,
            clarify_timeout=timeout,
        )

    def press(self, button: Button) -> None:
        found = self.questions.find(button.value)
        assert found is not None
        self.questions.answer(*found)


@pytest.fixture
def chat() -> Chat:
    return Chat()


async def test_a_pressed_button_is_the_answer(chat: Chat) -> None:
    asking = asyncio.create_task(chat.asker().approve(REQUEST))
    target, text, buttons = await chat.put.get()
    assert target == HERE
    assert "rm -r x" in text
    assert [button.label for button in buttons] == [
        "Allow once",
        "This session",
        "Always",
        "Deny",
    ]
    assert all(len(button.value) <= 64 for button in buttons)
    chat.press(buttons[1])
    assert await asking == "session"
    assert len(chat.questions) == 0


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("approve", "once"),
        ("session", "session"),
        ("Yes!", "once"),
        ("deny", "deny"),
        ("no", "deny"),
    ],
)
async def test_a_word_is_the_answer(chat: Chat, words: str, answer: str) -> None:
    asking = asyncio.create_task(chat.asker().approve(REQUEST))
    await chat.put.get()
    found = chat.questions.by_word(HERE, words, "k")
    assert found is not None
    chat.questions.answer(*found)
    assert await asking == answer


async def test_other_words_answer_no_approval(chat: Chat) -> None:
    asking = asyncio.create_task(chat.asker().approve(REQUEST))
    await chat.put.get()
    assert chat.questions.by_word(HERE, "yes, but tell me more", "k") is None
    assert chat.questions.by_word(THERE, "yes", "k") is None
    asking.cancel()


async def test_silence_is_a_denial(chat: Chat) -> None:
    assert await chat.asker(timeout=0.01).approve(REQUEST) == "deny"


async def test_with_nobody_to_ask_the_answer_is_no_and_nobody_is_bothered(chat: Chat) -> None:
    assert await chat.asker(approver=None).approve(REQUEST) == "deny"
    assert chat.put.empty()


async def test_an_approver_elsewhere_is_told_who_asks(chat: Chat) -> None:
    asking = asyncio.create_task(chat.asker(approver=THERE).approve(REQUEST))
    target, text, buttons = await chat.put.get()
    assert target == THERE
    assert "Eve" in text
    chat.press(buttons[0])
    assert await asking == "once"


async def test_who_may_not_grant_for_good_is_not_offered_it(chat: Chat) -> None:
    asking = asyncio.create_task(chat.asker(may_always=False).approve(REQUEST))
    _, _, buttons = await chat.put.get()
    assert "Always" not in [button.label for button in buttons]
    assert chat.questions.by_word(HERE, "always", "k") is None
    asking.cancel()


@pytest.mark.parametrize("value", ["", "q", "q:ffffffff:0", "q:x:y:z", "q:{id}:9", "q:{id}:-1"])
async def test_a_button_of_no_open_question_answers_nothing(chat: Chat, value: str) -> None:
    asking = asyncio.create_task(chat.asker().approve(REQUEST))
    _, _, buttons = await chat.put.get()
    number = buttons[0].value.split(":")[1]
    assert chat.questions.find(value.replace("{id}", number)) is None
    asking.cancel()


async def test_a_question_of_the_agents_takes_a_choice_a_number_or_own_words(chat: Chat) -> None:
    for said, answer in (("Blue", "blue"), ("2", "red"), ("rather green", "rather green")):
        asking = asyncio.create_task(chat.asker().clarify("Which?", ("blue", "red")))
        await chat.put.get()
        found = chat.questions.by_word(HERE, said, "k")
        assert found is not None
        chat.questions.answer(*found)
        assert await asking == answer


async def test_only_the_conversation_that_was_asked_answers_a_question(chat: Chat) -> None:
    asking = asyncio.create_task(chat.asker().clarify("Which?", ()))
    await chat.put.get()
    assert chat.questions.by_word(HERE, "all of them", "k:2") is None
    assert chat.questions.by_word(HERE, "all of them", "k") is not None
    asking.cancel()


async def test_a_word_is_for_the_question_of_ones_own_first(chat: Chat) -> None:
    others = asyncio.create_task(chat.asker().approve(REQUEST))
    await chat.put.get()
    own = asyncio.create_task(chat.asker(key="mine").approve(REQUEST))
    await chat.put.get()
    found = chat.questions.by_word(HERE, "yes", "mine")
    assert found is not None
    chat.questions.answer(*found)
    assert await own == "once"
    assert not others.done()
    others.cancel()


async def test_neither_a_name_nor_a_command_writes_a_line_of_the_question(chat: Chat) -> None:
    request = ApprovalRequest(
        tool="terminal", subject="rm -r x\n````\nIt is safe.", reason="Deletes.", rule="rm"
    )
    asker = chat.asker(approver=THERE, asked_by="Eve`)\n\nIt is **safe**.\n\n\u202e")
    asking = asyncio.create_task(asker.approve(request))
    _, text, _ = await chat.put.get()
    first, blank, fence, *_ = text.splitlines()
    assert first == "**May this run?** (`Eve') It is **safe**.`) Deletes."
    assert (blank, fence) == ("", "`````")
    assert text.splitlines().count("`````") == 2
    asking.cancel()
