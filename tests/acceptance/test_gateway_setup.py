"""`hermes gateway setup`: one platform at a time, question by question."""

from tests.acceptance.dialogue import dialogue
from tests.acceptance.hermes import LIMIT, Hermes


def test_a_platform_is_written_with_its_secret_hidden(hermes: Hermes) -> None:
    with dialogue(hermes, "gateway", "setup") as talk:
        talk.answer("Which", "smoke signals")
        talk.answer("Which", "telegram")
        talk.answer("Bot token", "4242:very-hidden")
        talk.answer("Who may write", "17, 18")
        talk.answer("Which", "")
        talk.until("hermes gateway run")
        assert talk.process.wait(LIMIT) == 0
        assert "There is no smoke signals here" in talk.seen
        assert "very-hidden" not in talk.seen
    written = (hermes.home / ".env").read_text()
    assert "TELEGRAM_BOT_TOKEN=4242:very-hidden\n" in written
    assert "17, 18" in written


def test_a_name_is_not_taken_for_an_id(hermes: Hermes) -> None:
    with dialogue(hermes, "gateway", "setup") as talk:
        talk.answer("Which", "telegram")
        talk.answer("Bot token", "4242:very-hidden")
        talk.answer("Who may write", "17, Ann")
        talk.answer("Who may write", "")
        talk.answer("Which", "")
        assert talk.process.wait(LIMIT) == 0
        assert "'Ann' is not what is wanted: numeric id" in talk.seen
        assert "hermes pairing approve telegram CODE" in talk.seen
    assert "ALLOWED" not in (hermes.home / ".env").read_text()


def test_a_port_is_a_number(hermes: Hermes) -> None:
    with dialogue(hermes, "gateway", "setup") as talk:
        talk.answer("Which", "api")
        talk.answer("Switch it on", "")
        talk.answer("Port", "abc")
        talk.answer("Port", "8650")
        talk.answer("Which", "")
        assert talk.process.wait(LIMIT) == 0
    assert "API_SERVER_PORT=8650\n" in (hermes.home / ".env").read_text()


def test_without_a_terminal_it_says_what_to_write(hermes: Hermes) -> None:
    ran = hermes.run("gateway", "setup")
    assert ran.status == 2
    assert str(hermes.home / ".env") in ran.err
