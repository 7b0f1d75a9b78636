"""Finding tools by words: BM25 (Robertson and Zaragoza, 2009) over names and descriptions."""

import math
import re
from collections import Counter
from collections.abc import Sequence

from hermes_agent.domain.outside import OutsideTool

_WORD = re.compile(r"[a-z]+|[0-9]+|[^\W\d_a-z]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SATURATION = 1.2
_LENGTH = 0.6
_NAME_COUNTS = 4


def best(tools: Sequence[OutsideTool], query: str, limit: int) -> list[OutsideTool]:
    """The tools that fit best, at most `limit`. A tool called exactly so comes first; words that
    only begin alike count half."""
    wanted = set(_words(query))
    documents = [_document(tool) for tool in tools]
    mean = sum(sum(each.values()) for each in documents) / (len(documents) or 1) or 1.0
    rarity = {word: _rarity(word, documents) for word in wanted}
    scored = [
        (_score(document, rarity, mean) + (1000 if tool.name == query.strip() else 0), -at, tool)
        for at, (tool, document) in enumerate(zip(tools, documents, strict=True))
    ]
    return [tool for score, _, tool in sorted(scored, reverse=True, key=_first_two) if score > 0][
        :limit
    ]


def _first_two(entry: tuple[float, int, OutsideTool]) -> tuple[float, int]:
    return entry[0], entry[1]


def _document(tool: OutsideTool) -> Counter[str]:
    words = Counter(_words(tool.description))
    for word in _words(f"{tool.source} {tool.name}"):
        words[word] += _NAME_COUNTS
    return words


def _words(text: str) -> list[str]:
    return _WORD.findall(_CAMEL.sub(" ", text).lower())


def _count(document: Counter[str], word: str) -> float:
    found = float(document[word])
    if not found and len(word) > 3:
        found = 0.5 * sum(n for other, n in document.items() if other.startswith(word[:4]))
    return found


def _rarity(word: str, documents: Sequence[Counter[str]]) -> float:
    holding = sum(_count(document, word) > 0 for document in documents)
    return math.log(1 + (len(documents) - holding + 0.5) / (holding + 0.5))


def _score(document: Counter[str], rarity: dict[str, float], mean: float) -> float:
    length = 1 - _LENGTH + _LENGTH * sum(document.values()) / mean
    return sum(
        weight * count * (_SATURATION + 1) / (count + _SATURATION * length)
        for word, weight in rarity.items()
        if (count := _count(document, word))
    )
