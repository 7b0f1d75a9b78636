-- What we know beyond the documented columns stands in tables of our own.

-- In the order of a history, which is the order of ids: times may be equal.
CREATE INDEX idx_messages_order ON messages (session_id, id);

CREATE TABLE message_details (
    message_id INTEGER PRIMARY KEY
        REFERENCES messages (id) ON DELETE CASCADE ON UPDATE CASCADE,
    model TEXT,
    input_tokens INTEGER,
    output_tokens INTEGER,
    cache_read_tokens INTEGER,
    cache_write_tokens INTEGER,
    reasoning_tokens INTEGER,
    cost_usd REAL,
    -- JSON as domain/messages.py has it: Reasoning[], (string | null)[] by call, Image[].
    reasoning TEXT,
    call_states TEXT,
    images TEXT
);

-- A tool call as it really ran, committed before it runs and when it ends. The result and the
-- arguments are dropped once the result stands in messages.
CREATE TABLE tool_runs (
    id INTEGER PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    message_id INTEGER REFERENCES messages (id) ON DELETE CASCADE ON UPDATE CASCADE,
    call_id TEXT NOT NULL,
    name TEXT NOT NULL,
    arguments TEXT,
    started_at REAL NOT NULL,
    finished_at REAL,
    status TEXT NOT NULL,
    result TEXT,
    -- The message that a repair wrote in place of the result; a late result replaces it.
    answer_id INTEGER REFERENCES messages (id) ON DELETE SET NULL ON UPDATE CASCADE
);

CREATE INDEX idx_tool_runs_call ON tool_runs (session_id, call_id);
CREATE INDEX idx_tool_runs_message ON tool_runs (message_id);
CREATE INDEX idx_tool_runs_answer ON tool_runs (answer_id) WHERE answer_id IS NOT NULL;
CREATE INDEX idx_tool_runs_started ON tool_runs (started_at);
