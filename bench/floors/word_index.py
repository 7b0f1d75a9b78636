"""The least search: a bare FTS5 table with the same messages, best first, with excerpts."""

from pathlib import Path

import apsw

from hermes_agent.store.sqlite.transaction import typed

_FILL = """
CREATE VIRTUAL TABLE words USING fts5 (content);
ATTACH ? AS store;
INSERT INTO words (rowid, content) SELECT id, content FROM store.messages;
DETACH store;
"""
_FIND = """
SELECT rowid, snippet(words, 0, '>>>', '<<<', '…', 40) FROM words WHERE words MATCH ?
ORDER BY rank LIMIT 20
"""


class WordIndex:
    """Filled from `state` at the start, kept in the file `path`."""

    def __init__(self, path: Path, state: Path) -> None:
        self._connection = apsw.Connection(str(path))
        self._statements = typed(self._connection)
        self._statements.execute(_FILL, (str(state),))

    def search(self, query: str) -> int:
        """Returns how many of the first twenty there are."""
        return len(self._statements.execute(_FIND, (query,)).fetchall())

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
