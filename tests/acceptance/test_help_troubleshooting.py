"""docs/troubleshooting.md quotes what the program really says."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
QUOTED = re.findall(
    r"^\| `([^`]+)`", (ROOT / "docs/troubleshooting.md").read_text("utf-8"), flags=re.MULTILINE
)
FROM_THE_YAML_LIBRARY = ("did not find expected node content",)


def said() -> str:
    """The source with its string literals joined as the compiler joins them."""
    texts = [path.read_text("utf-8") for path in (ROOT / "src").rglob("*.py")]
    return re.sub(r"\"\s*\n\s*f?\"", "", "\n".join(texts))


def test_the_table_quotes_messages() -> None:
    assert len(QUOTED) > 10


@pytest.mark.parametrize("message", QUOTED)
def test_a_quoted_message_is_one_of_the_program(message: str) -> None:
    assert message in FROM_THE_YAML_LIBRARY or message in said()
