-- How far a conversation was looked through for what is worth noting, and what that cost.
CREATE TABLE reviews (
    session_id TEXT PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
    -- The last message that was looked at.
    message_id INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cost_usd REAL
) WITHOUT ROWID;
