-- name: hand_over_turn
-- A turn is known by one message: from now on by its copy.
UPDATE message_details SET turn = NULL WHERE message_id = ? AND turn IS NOT NULL

-- name: original
SELECT coalesce(
    (SELECT d.copy_of FROM message_details AS d WHERE d.message_id = m.id), m.id
)
FROM messages AS m
WHERE m.id = :id AND m.session_id = :session_id

-- name: insert_copy
INSERT INTO message_details (
    message_id, model, reasoning, call_states, images, turn, copy_of, summary
) VALUES (
    :message_id, :model, :reasoning, :call_states, :images, :turn, :copy_of, :summary
)

-- name: end_parent
UPDATE sessions SET ended_at = :now, end_reason = 'compression' WHERE id = :id

-- name: lead_routes
UPDATE routes SET session_id = :child WHERE session_id = :parent

-- name: next_in_lineage
-- The child that took over when the session ended; a branch of it began at another time.
SELECT c.id
FROM sessions AS p
JOIN sessions AS c ON c.parent_session_id = p.id
WHERE p.id = ?
    AND p.end_reason = 'compression'
    AND abs(c.started_at - p.ended_at) < 300
    -- Sub-agents are children as well.
    AND (c.source = p.source OR c.source <> 'delegate')
ORDER BY abs(c.started_at - p.ended_at), c.id
LIMIT 1

-- name: spoken_in_turn
-- What the model wrote since the message of a turn, in all sessions of the lineage.
WITH RECURSIVE
    said AS (
        SELECT m.session_id, coalesce(d.copy_of, m.id) AS id
        FROM message_details AS d
        JOIN messages AS m ON m.id = d.message_id
        WHERE d.turn = :turn
    ),
    lineage (id) AS (
        SELECT session_id FROM said
        UNION
        SELECT s.parent_session_id
        FROM lineage
        JOIN sessions AS s ON s.id = lineage.id
        JOIN sessions AS p ON p.id = s.parent_session_id
        WHERE p.end_reason = 'compression'
    )
SELECT m.session_id, m.id
FROM messages AS m
LEFT JOIN message_details AS d ON d.message_id = m.id
WHERE m.session_id IN (SELECT id FROM lineage)
    AND m.role = 'assistant'
    AND m.id > (SELECT id FROM said)
    AND d.copy_of IS NULL
ORDER BY m.id

-- name: failures
SELECT failures, failed_at FROM compaction_failures WHERE session_id = ?

-- name: failed
INSERT INTO compaction_failures (session_id, failures, failed_at) VALUES (:id, 1, :now)
ON CONFLICT (session_id) DO UPDATE SET failures = failures + 1, failed_at = excluded.failed_at

-- name: spent
UPDATE sessions SET
    input_tokens = coalesce(input_tokens, 0) + :input,
    output_tokens = coalesce(output_tokens, 0) + :output,
    cache_read_tokens = coalesce(cache_read_tokens, 0) + :cache_read,
    cache_write_tokens = coalesce(cache_write_tokens, 0) + :cache_write,
    reasoning_tokens = coalesce(reasoning_tokens, 0) + :reasoning,
    actual_cost_usd = CASE
        WHEN :cost IS NULL THEN actual_cost_usd
        ELSE coalesce(actual_cost_usd, 0) + :cost
    END
WHERE id = :id
