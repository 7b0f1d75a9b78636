-- name: how_many
SELECT count(*) FROM (
    SELECT 1 FROM messages_fts WHERE messages_fts MATCH :match LIMIT :considered
)

-- name: best
SELECT f.rowid
FROM messages_fts AS f
WHERE f.messages_fts MATCH :match
    -- A copy in a child session says nothing new.
    AND NOT EXISTS (
        SELECT 1 FROM message_details AS d WHERE d.message_id = f.rowid AND d.copy_of IS NOT NULL
    )
    AND (
        (:roles IS NULL AND :source IS NULL)
        OR EXISTS (
            SELECT 1
            FROM messages AS m
            JOIN sessions AS s ON s.id = m.session_id
            WHERE m.id = f.rowid
                AND (:roles IS NULL OR instr(:roles, m.role))
                AND (:source IS NULL OR s.source = :source)
        )
    )
ORDER BY f.rank
LIMIT :limit

-- name: newest
SELECT f.rowid
FROM messages_fts AS f
WHERE f.messages_fts MATCH :match
    -- A copy in a child session says nothing new.
    AND NOT EXISTS (
        SELECT 1 FROM message_details AS d WHERE d.message_id = f.rowid AND d.copy_of IS NOT NULL
    )
    AND (
        (:roles IS NULL AND :source IS NULL)
        OR EXISTS (
            SELECT 1
            FROM messages AS m
            JOIN sessions AS s ON s.id = m.session_id
            WHERE m.id = f.rowid
                AND (:roles IS NULL OR instr(:roles, m.role))
                AND (:source IS NULL OR s.source = :source)
        )
    )
ORDER BY f.rowid DESC
LIMIT :limit

-- name: word_snippet
SELECT
    m.session_id, s.source, s.title, m.id, m.role, m.timestamp,
    snippet(messages_fts, 0, '>>>', '<<<', '…', 40)
FROM messages_fts AS f
JOIN messages AS m ON m.id = f.rowid
JOIN sessions AS s ON s.id = m.session_id
WHERE f.messages_fts MATCH :match AND f.rowid = :id

-- name: make_trigrams
CREATE VIRTUAL TABLE IF NOT EXISTS temp.trigrams USING fts5vocab (main, messages_substrings, row)

-- name: trigrams_beginning_with
SELECT term FROM temp.trigrams WHERE term >= :start AND term < :start || char(1114111) LIMIT 1000

-- name: substrings
SELECT
    m.session_id, s.source, s.title, m.id, m.role, m.timestamp, m.content
FROM messages_substrings AS f
CROSS JOIN messages AS m ON m.id = f.rowid
CROSS JOIN sessions AS s ON s.id = m.session_id
WHERE f.messages_substrings MATCH :match
    AND NOT EXISTS (
        SELECT 1 FROM message_details AS d WHERE d.message_id = m.id AND d.copy_of IS NOT NULL
    )
    AND (:roles IS NULL OR instr(:roles, m.role))
    AND (:source IS NULL OR s.source = :source)
ORDER BY f.rowid DESC
