-- What came in and is not answered, what goes out and is not sent. See ledger/port.py.
CREATE TABLE inbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    platform TEXT NOT NULL,
    key TEXT NOT NULL,
    session_key TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting',
    -- JSON as domain/chats.py has Inbound.
    inbound TEXT NOT NULL,
    accepted_at REAL NOT NULL,
    touched_at REAL NOT NULL,
    not_before REAL NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    worker TEXT,
    lease_until REAL,
    error TEXT NOT NULL DEFAULT '',
    UNIQUE (platform, key)
);

CREATE INDEX idx_inbox_open ON inbox (session_key, id) WHERE state IN ('waiting', 'working');
CREATE INDEX idx_inbox_state ON inbox (state, id);

CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    turn TEXT NOT NULL,
    part INTEGER NOT NULL,
    platform TEXT NOT NULL,
    -- platform, chat and thread in one: messages to one target leave in order.
    target TEXT NOT NULL,
    state TEXT NOT NULL,
    -- JSON as domain/chats.py has Outgoing.
    outgoing TEXT NOT NULL,
    message_id TEXT,
    created_at REAL NOT NULL,
    touched_at REAL NOT NULL,
    not_before REAL NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    -- An attempt died between sending and storing the id.
    doubtful INTEGER NOT NULL DEFAULT 0,
    error TEXT NOT NULL DEFAULT '',
    UNIQUE (turn, part)
);

CREATE INDEX idx_outbox_unsent ON outbox (target, id) WHERE state IN ('waiting', 'sending');
CREATE INDEX idx_outbox_state ON outbox (state, id);

CREATE TABLE ledger_facts (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE ledger_counts (name TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
