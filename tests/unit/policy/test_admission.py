"""The door: who may talk, as whom, how often."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from hermes_agent.config.load import load
from hermes_agent.config.paths import Paths
from hermes_agent.domain.chats import ChatType, Origin
from hermes_agent.domain.errors import ConfigError
from hermes_agent.policy.admission.admission import (
    Admission,
    Admitted,
    Ignored,
    Limited,
    Unknown,
)
from hermes_agent.policy.admission.files import PairingFiles
from hermes_agent.policy.admission.pairing import PairingBook
from hermes_agent.policy.admission.rules import AdmissionRules, PlatformRules, admission_rules


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Iterator[Clock]:
    return Clock()  # pyright: ignore[reportReturnType] - a fixture may return too


@pytest.fixture
def book(tmp_path: Path, clock: Clock) -> PairingBook:
    return PairingBook(PairingFiles(tmp_path / "pairing"), clock)


def origin(
    user: str = "1", platform: str = "telegram", chat: ChatType = "dm", chat_id: str = "c"
) -> Origin:
    return Origin(platform=platform, chat_id=chat_id, chat_type=chat, user_id=user, user_name="Ann")


def ids(*people: str) -> frozenset[str]:
    return frozenset(people)


def door(book: PairingBook, clock: Clock, **telegram: object) -> Admission:
    rules = PlatformRules(**telegram)  # pyright: ignore[reportArgumentType] - by name
    return Admission(AdmissionRules(platforms={"telegram": rules}), book, clock)


def rules_from(
    home: Path, text: str = "", environ: Mapping[str, str] | None = None
) -> AdmissionRules:
    home.mkdir(exist_ok=True)
    (home / "config.yaml").write_text(text)
    loaded = load(Paths(home), environ or {})
    return admission_rules(loaded, ("telegram", "discord", "email"))


def test_nobody_is_let_in_before_anything_is_configured(book: PairingBook, clock: Clock) -> None:
    found = Admission(AdmissionRules(), book, clock).decide(origin())
    assert isinstance(found, Unknown)


def test_an_empty_list_is_nobody(home: Path, book: PairingBook, clock: Clock) -> None:
    environ = {"TELEGRAM_ALLOWED_USERS": "", "GATEWAY_ALLOW_ALL_USERS": "true"}
    admission = Admission(rules_from(home, environ=environ), book, clock)
    assert admission.role(origin("1")) is None
    assert admission.role(origin("1", "discord")) == "user"


def test_with_any_list_the_gateways_allow_all_means_nothing(
    home: Path, book: PairingBook, clock: Clock
) -> None:
    environ = {"GATEWAY_ALLOWED_USERS": "7", "GATEWAY_ALLOW_ALL_USERS": "true"}
    admission = Admission(rules_from(home, environ=environ), book, clock)
    assert admission.role(origin("1")) is None
    assert admission.role(origin("7", "discord")) == "user"


def test_a_platform_opened_to_all_admits_all_but_guests_stay_guests(
    home: Path, book: PairingBook, clock: Clock
) -> None:
    environ = {"TELEGRAM_ALLOW_ALL_USERS": "yes", "TELEGRAM_GUESTS": "5"}
    admission = Admission(rules_from(home, environ=environ), book, clock)
    assert admission.decide(origin("1")) == Admitted("user")
    assert admission.decide(origin("5")) == Admitted("guest")
    assert admission.role(origin("1", "discord")) is None


def test_all_others_can_be_guests(home: Path, book: PairingBook, clock: Clock) -> None:
    text = (
        "platforms:\n  telegram:\n    extra:\n      allow_all_users: true\n      everyone: guest\n"
        "      owners: [1]\n"
    )
    admission = Admission(rules_from(home, text), book, clock)
    assert admission.role(origin("1")) == "owner"
    assert admission.role(origin("2")) == "guest"
    assert admission.toolsets(origin("2")) == ("safe", "todo", "clarify")
    assert admission.toolsets(origin("1")) == ()


def test_the_only_person_on_all_lists_is_the_owner(
    home: Path, book: PairingBook, clock: Clock
) -> None:
    environ = {"TELEGRAM_ALLOWED_USERS": "1", "TELEGRAM_GUESTS": "2"}
    one = Admission(rules_from(home, environ=environ), book, clock)
    assert one.role(origin("1")) == "owner"
    two = Admission(rules_from(home, environ=environ | {"DISCORD_ALLOWED_USERS": "9"}), book, clock)
    assert two.role(origin("1")) == "user"


def test_a_second_person_who_is_paired_ends_the_ownership_by_being_alone(
    book: PairingBook, clock: Clock
) -> None:
    admission = door(book, clock, allowed=ids("1"))
    assert admission.may(origin("1"), "approve")
    code = book.request("telegram", "2", "Bob")
    assert code is not None
    book.approve("telegram", code, "guest")
    assert admission.may(origin("1"), "approve")
    clock.now += 700
    code = book.request("telegram", "3", "Cid")
    assert code is not None
    book.approve("telegram", code)
    assert not admission.may(origin("1"), "approve")


def test_nobody_becomes_owner_where_senders_can_be_imitated(
    book: PairingBook, clock: Clock
) -> None:
    rules = PlatformRules(allowed=ids("a@example.org"))
    admission = Admission(AdmissionRules(platforms={"email": rules}), book, clock)
    assert admission.role(origin("A@Example.org ", "email")) == "user"
    named = PlatformRules(owners=ids("a@example.org"))
    admission = Admission(AdmissionRules(platforms={"email": named}), book, clock)
    assert admission.role(origin("a@example.org", "email")) == "owner"


def test_ids_are_compared_exactly_and_names_never(book: PairingBook, clock: Clock) -> None:
    admission = door(book, clock, allowed=ids("AbC", "Ann"))
    assert admission.role(origin("abc")) is None
    assert admission.role(origin("AbCd")) is None
    assert admission.role(origin("")) is None
    assert admission.role(Origin(platform="telegram", chat_id="c", user_name="AbC")) is None
    assert admission.role(origin(" AbC")) == "user"


def test_a_group_message_is_decided_by_its_sender_and_strangers_get_no_code(
    book: PairingBook, clock: Clock
) -> None:
    admission = door(book, clock, allowed=ids("1", "2"))
    assert admission.decide(origin("1", chat="group")) == Admitted("user")
    assert admission.decide(origin("3", chat="group")) == Ignored("stranger")
    assert admission.decide(origin("", chat="channel")) == Ignored("nobody")
    assert book.waiting() == ()
    assert [each.user_id for each in book.strangers()] == ["3"]


def test_where_chats_are_listed_other_groups_are_silent_even_for_the_owner(
    book: PairingBook, clock: Clock
) -> None:
    admission = door(book, clock, owners=ids("1"), chats=ids("-100"))
    assert admission.decide(origin("1", chat="group", chat_id="-100")) == Admitted("owner")
    assert admission.decide(origin("1", chat="group", chat_id="-200")) == Ignored("chat")
    assert admission.decide(origin("1", chat_id="-200")) == Admitted("owner")


def test_a_stranger_who_does_not_address_the_agent_leaves_nothing(
    book: PairingBook, clock: Clock
) -> None:
    admission = door(book, clock)
    assert admission.decide(origin("3", chat="group"), addressed=False) == Ignored("stranger")
    assert book.strangers() == ()


def test_strangers_can_be_ignored(home: Path, book: PairingBook, clock: Clock) -> None:
    admission = Admission(rules_from(home, "unauthorized_dm_behavior: ignore\n"), book, clock)
    assert admission.decide(origin("3")) == Ignored("stranger")
    assert book.waiting() == ()


def test_webhooks_prove_themselves(book: PairingBook, clock: Clock) -> None:
    assert door(book, clock).decide(origin("", "webhook")) == Admitted("user")


def test_whoever_writes_too_often_is_told_once_a_window(book: PairingBook, clock: Clock) -> None:
    admission = door(book, clock, allowed=ids("1", "2"), per_minute=2, per_hour=3)
    assert admission.decide(origin("1")) == Admitted("user")
    assert admission.decide(origin("1"), addressed=False) == Admitted("user")
    assert admission.decide(origin("1")) == Admitted("user")
    until = clock.now + 60
    assert admission.decide(origin("1")) == Limited(until, tell=True)
    assert admission.decide(origin("1")) == Limited(until, tell=False)
    assert admission.decide(origin("2")) == Admitted("user")
    clock.now = until
    assert admission.decide(origin("1")) == Admitted("user")
    clock.now += 61
    found = admission.decide(origin("1"))
    assert found == Limited(until - 60 + 3600, tell=True)


def test_an_owner_is_not_limited(book: PairingBook, clock: Clock) -> None:
    admission = door(book, clock, owners=ids("1"), per_minute=1)
    assert {admission.decide(origin("1")) for _ in range(5)} == {Admitted("owner")}


def test_a_clock_that_jumps_back_limits_nobody_for_long(book: PairingBook, clock: Clock) -> None:
    admission = door(book, clock, allowed=ids("1", "2"), per_minute=1, per_hour=1)
    admission.decide(origin("1"))
    clock.now -= 86_400
    assert admission.decide(origin("1")) == Admitted("user")


def test_a_torn_file_of_paired_people_is_nobody_and_is_said_once(
    tmp_path: Path, book: PairingBook, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    admission = door(book, clock)
    code = book.request("telegram", "3", "Cid")
    assert code is not None
    book.approve("telegram", code)
    assert admission.role(origin("3")) == "owner"
    path = tmp_path / "pairing" / "telegram-approved.json"
    path.write_text(path.read_text()[:-4])
    assert admission.role(origin("3")) is None
    assert admission.role(origin("3")) is None
    assert [str(path) in line for line in caplog.messages] == [True]


def test_a_pairing_folder_that_cannot_be_written_lets_nobody_in(
    tmp_path: Path, clock: Clock
) -> None:
    (tmp_path / "pairing").write_text("a file")
    book = PairingBook(PairingFiles(tmp_path / "pairing"), clock)
    assert door(book, clock).decide(origin("3")) == Ignored("stranger")


def test_a_declared_list_outranks_the_environment(
    tmp_path: Path, home: Path, book: PairingBook, clock: Clock
) -> None:
    home.mkdir()
    entries = tmp_path / "etc" / "homes"
    entries.mkdir(parents=True)
    (entries / "it.json").write_text(
        f'{{"home": "{home}", "settings": {{"platforms": {{"telegram": {{"extra":'
        ' {"allowed_users": ["1"], "owners": ["1"]}}}}}'
    )
    loaded = load(
        Paths(home),
        {"TELEGRAM_ALLOWED_USERS": "666", "TELEGRAM_OWNERS": "666"},
        registry=tmp_path / "etc",
    )
    admission = Admission(admission_rules(loaded, ("telegram",)), book, clock)
    assert admission.role(origin("666")) is None
    assert admission.role(origin("1")) == "owner"


def test_stars_and_names_in_lists_are_warned_of_and_match_nobody(
    home: Path, book: PairingBook, clock: Clock
) -> None:
    rules = rules_from(home, environ={"TELEGRAM_ALLOWED_USERS": "*, @ann"})
    assert len(rules.warnings) == 2
    assert "TELEGRAM_ALLOW_ALL_USERS=true" in rules.warnings[0]
    assert Admission(rules, book, clock).role(origin("1")) is None


@pytest.mark.parametrize(
    "extra",
    [
        "allowed_users: {a: b}",
        "messages_per_minute: -1",
        "everyone: owner",
        "allowed_chats: [true]",
    ],
)
def test_settings_that_mean_nothing_are_refused_with_their_place(home: Path, extra: str) -> None:
    text = f"platforms:\n  telegram:\n    extra:\n      {extra}\n"
    with pytest.raises(ConfigError, match=r"platforms\.telegram\.extra\."):
        rules_from(home, text)
