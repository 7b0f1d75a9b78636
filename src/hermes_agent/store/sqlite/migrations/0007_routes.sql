-- Which session a chat is in, and what its people chose for it.
CREATE TABLE routes (
    session_key TEXT PRIMARY KEY,
    session_id TEXT NOT NULL,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    -- JSON as domain/chats.py has Origin.
    origin TEXT NOT NULL,
    -- JSON: a map of strings.
    choices TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX idx_routes_updated ON routes (updated_at DESC);
