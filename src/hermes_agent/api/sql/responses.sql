-- name: schema
CREATE TABLE IF NOT EXISTS responses (
    id TEXT PRIMARY KEY,
    created_at REAL NOT NULL,
    used INTEGER NOT NULL,
    session_id TEXT NOT NULL,
    last_message INTEGER,
    body BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS responses_by_use ON responses (used);

-- name: put
INSERT OR REPLACE INTO responses (id, created_at, used, session_id, last_message, body)
VALUES (?, ?, (SELECT coalesce(max(used), 0) + 1 FROM responses), ?, ?, ?);

-- name: forget_oldest
DELETE FROM responses WHERE id IN (
    SELECT id FROM responses ORDER BY used DESC LIMIT -1 OFFSET ?
);

-- name: get
SELECT session_id, last_message, body FROM responses WHERE id = ?;

-- name: touch
UPDATE responses SET used = (SELECT max(used) + 1 FROM responses) WHERE id = ?;

-- name: delete
DELETE FROM responses WHERE id = ?;
