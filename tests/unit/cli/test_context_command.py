"""/context shows the prompt that the session really has."""

from hermes_agent.cli.slash.looking import as_sent
from hermes_agent.context.prompt import Piece, Prompt

TODAY = Prompt((Piece("identity", "I am."), Piece("guidance", "Do."), Piece("facts", "Monday")))


def test_a_prompt_of_today_is_shown_in_its_pieces() -> None:
    assert as_sent(TODAY.text, TODAY) == TODAY


def test_what_has_changed_since_is_a_piece_of_its_own() -> None:
    shown = as_sent("I am.\n\nOld guidance.\n\nSunday", TODAY)
    assert [piece.name for piece in shown.pieces] == ["identity", "as the session began"]
    assert shown.pieces[1].text == "Old guidance.\n\nSunday"
