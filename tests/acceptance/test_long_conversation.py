"""A long conversation with the daemon; the long form is `python -m
tests.acceptance.long_conversation`."""

from tests.acceptance.hermes import Hermes
from tests.acceptance.long_conversation import LongTalk
from tests.servers.model import ModelServer

TURNS = 200


def test_nothing_that_was_planted_is_lost_through_many_compactions(
    hermes: Hermes, server: ModelServer
) -> None:
    told = LongTalk(hermes, server, window=14_000, seed=5).run(TURNS)
    assert told.lost == ()
    assert told.compactions >= 8
    assert told.found > TURNS // 2
    assert told.noted == TURNS // 100
    assert told.todos
    assert told.files
    assert told.prompts == 1
    assert told.longest < 14_000 * 4 * 0.65
