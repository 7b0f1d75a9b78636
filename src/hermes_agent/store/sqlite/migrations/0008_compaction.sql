-- A conversation that grew too long goes on in a child session. See store/port.py, `succeed`.

-- Which message this one repeats in the child; nothing once that is deleted.
ALTER TABLE message_details ADD COLUMN copy_of INTEGER
    REFERENCES messages (id) ON DELETE SET NULL ON UPDATE CASCADE;
-- Whether it stands for earlier messages, and nobody said it.
ALTER TABLE message_details ADD COLUMN summary INTEGER NOT NULL DEFAULT 0;

CREATE INDEX idx_message_details_copies ON message_details (copy_of) WHERE copy_of IS NOT NULL;

-- Attempts that failed, so that the next one waits.
CREATE TABLE compaction_failures (
    session_id TEXT PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
    failures INTEGER NOT NULL,
    failed_at REAL NOT NULL
) WITHOUT ROWID;
