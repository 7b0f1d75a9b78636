"""Search. Words by the word index; substrings, and scripts without spaces, by trigrams."""

from typing import Any

from hermes_agent.domain.messages import Role
from hermes_agent.store.records import Hit
from hermes_agent.store.sqlite import matching
from hermes_agent.store.sqlite.queries import load
from hermes_agent.store.sqlite.transaction import Transaction
from hermes_agent.store.text import storable

# Of more matches than this the newest come first: ranking them all takes long and says little.
_RANKED = 1000
_SHORTEST = 3
_LONGEST_QUERY = 1000


def search(
    db: Transaction, query: str, roles: tuple[Role, ...], source: str | None, limit: int
) -> tuple[Hit, ...]:
    query = storable(query)[:_LONGEST_QUERY]
    values: dict[str, Any] = {
        "roles": ",".join(roles) if roles else None,
        "source": source,
        "limit": max(0, limit),
        "considered": _RANKED,
    }
    if matching.UNSPACED.search(query):
        return _substrings(db, query, values)
    match = matching.word_match(query)
    hits = _words(db, match, values) if match else ()
    return hits or _substrings(db, query, values)


def _words(db: Transaction, match: str, values: dict[str, Any]) -> tuple[Hit, ...]:
    sql = load("search")
    values = {**values, "match": match}
    order = "best" if db.execute(sql["how_many"], values).get < _RANKED else "newest"
    ids = [row[0] for row in db.execute(sql[order], values)]
    snippets = (
        db.execute(sql["word_snippet"], {"match": match, "id": found}).fetchone() for found in ids
    )
    return tuple(_hit(row, row[6]) for row in snippets if row is not None)


def _substrings(db: Transaction, query: str, values: dict[str, Any]) -> tuple[Hit, ...]:
    """Messages that hold all terms somewhere, newest first."""
    terms = matching.literal_terms(query)
    match = _trigram_match(db, terms)
    if match is None:
        return ()
    hits: list[Hit] = []
    for row in db.execute(load("search")["substrings"], {**values, "match": match}):
        if len(hits) >= values["limit"]:
            break
        # Trigrams may stand apart; the terms may not.
        folded = row[6].lower()
        if all(term in folded for term in terms):
            hits.append(_hit(row, matching.excerpt(row[6], terms)))
    return tuple(hits)


def _trigram_match(db: Transaction, terms: list[str]) -> str | None:
    sql = load("search")
    long = [term for term in terms if len(term) >= _SHORTEST]
    parts = [matching.trigram_match(long)] if long else []
    for term in terms:
        # One Latin letter or two would match everything; a Chinese word is often that short.
        if len(term) < _SHORTEST and matching.UNSPACED.search(term):
            db.execute(sql["make_trigrams"])
            found = db.execute(sql["trigrams_beginning_with"], {"start": term}).fetchall()
            if not found:
                return None
            parts.append("(" + " OR ".join(matching.quoted(str(row[0])) for row in found) + ")")
    return " AND ".join(parts) or None


def _hit(row: Any, snippet: str) -> Hit:
    return Hit(
        session_id=row[0],
        source=row[1],
        title=row[2],
        message_id=row[3],
        role=row[4],
        timestamp=row[5],
        snippet=snippet,
    )
