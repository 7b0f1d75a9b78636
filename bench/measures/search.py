"""Searching 100,000 messages, and what they take on disk."""

import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from statistics import median

from bench.figures import Figure
from bench.filling import texts, vocabulary
from bench.floors.word_index import WordIndex
from bench.processes import run
from bench.stage import Stage

MESSAGES, PER_SESSION = 100_000, 500
QUERIES = 20
REPEATS = 5


def measure(stage: Stage) -> Iterator[Figure]:
    """The store's own search in this process, warm, against a bare word index."""
    from hermes_agent.store.opening import open_store

    run(stage, stage.tool("filling", str(stage.home), "bench", str(MESSAGES), str(PER_SESSION)))
    state = stage.home / "state.db"
    store = open_store(stage.home)
    floor = WordIndex(stage.root / "words.db", state)
    for kind, queries in _queries().items():
        ours = _typical(lambda query: len(store.search(query)), queries)
        bare = _typical(floor.search, queries)
        yield Figure(
            name=f"search 100,000 messages: {kind}",
            value=ours,
            unit="ms",
            floor=bare,
            floor_name="bare FTS5 table",
            budget=10,
        )
    parts = _typical(lambda query: len(store.search(query)), _parts_of_words())
    yield Figure(
        name="search 100,000 messages: a part of a rare word", value=parts, unit="ms", budget=10
    )
    text = sum(
        len(str(message.content).encode())
        for row in store.list()
        for message in store.history(row.id)
    )
    yield Figure(
        name="disk of 100,000 messages",
        value=sum(path.stat().st_size for path in stage.home.glob("state.db*")) / 1e6,
        unit="MB",
        floor=text / 1e6,
        floor_name="their text",
        budget=3,
        budget_is_ratio=True,
    )
    floor.close()
    store.close()


def _queries() -> dict[str, list[str]]:
    """Queries by what makes them cheap or dear."""
    words = vocabulary()
    sample = next(texts()).split()
    return {
        "a rare word": words[5_000 : 5_000 + QUERIES],
        "a frequent word": words[:QUERIES],
        "two words": [f"{words[20 + n]} {words[900 + n]}" for n in range(QUERIES)],
        "a phrase": [f'"{one} {two}"' for one, two in pairwise(sample)],
    }


def _parts_of_words() -> list[str]:
    """Beginnings cut off, so that no whole word fits."""
    return [word[1:] for word in vocabulary()[5_000 : 5_000 + QUERIES]]


def _typical(search: Callable[[str], int], queries: list[str]) -> float:
    """The median of all queries in milliseconds, of each the best of a few."""
    return median(min(_timed(search, query) for _ in range(REPEATS)) for query in queries)


def _timed(search: Callable[[str], int], query: str) -> float:
    began = time.perf_counter()
    search(query)
    return (time.perf_counter() - began) * 1000
