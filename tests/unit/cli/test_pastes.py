"""Large pastes become references."""

from pathlib import Path

from hermes_agent.cli.terminal.pastes import Pastes

LARGE = "a\nb\nc\nd\ne\nf"


def test_small_pastes_stay_text(tmp_path: Path) -> None:
    folder = tmp_path / "pastes"
    assert Pastes(folder).take("a\nb\nc\nd\ne") == "a\nb\nc\nd\ne"
    assert not folder.exists()


def test_a_reference_stands_for_the_text_and_the_file_is_private(tmp_path: Path) -> None:
    pastes = Pastes(tmp_path / "pastes")
    reference = pastes.take(LARGE)
    assert reference.endswith(": 6 lines]")
    assert pastes.expand(f"see {reference} and {reference}!") == f"see {LARGE} and {LARGE}!"
    (kept,) = (tmp_path / "pastes").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert kept.read_text() == LARGE


def test_one_endless_line_is_a_large_paste_too(tmp_path: Path) -> None:
    assert Pastes(tmp_path).take("x" * 10_000).endswith(": 1 line]")


def test_a_reference_from_an_earlier_chat_is_found_again(tmp_path: Path) -> None:
    reference = Pastes(tmp_path).take(LARGE)
    assert Pastes(tmp_path).expand(reference) == LARGE


def test_unknown_references_and_paths_stay_as_they_are(tmp_path: Path) -> None:
    for text in ("[pasted 20260101_000000_1: 6 lines]", "[pasted ../../etc/passwd: 6 lines]"):
        assert Pastes(tmp_path).expand(text) == text


def test_a_disk_that_takes_nothing_costs_the_file_only(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    pastes = Pastes(tmp_path / "file")
    assert pastes.expand(pastes.take(LARGE)) == LARGE
