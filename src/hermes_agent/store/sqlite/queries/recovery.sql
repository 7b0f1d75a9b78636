-- name: make_lost_sessions
INSERT INTO sessions (id, source, started_at)
SELECT m.session_id, 'recovered', min(m.timestamp)
FROM messages AS m
WHERE NOT EXISTS (SELECT 1 FROM sessions AS s WHERE s.id = m.session_id)
GROUP BY m.session_id

-- name: forget_lost_parents
UPDATE sessions SET parent_session_id = NULL
WHERE parent_session_id IS NOT NULL AND parent_session_id NOT IN (SELECT id FROM sessions)

-- name: forget_details
DELETE FROM message_details WHERE message_id NOT IN (SELECT id FROM messages)

-- name: forget_originals
UPDATE message_details SET copy_of = NULL
WHERE copy_of IS NOT NULL AND copy_of NOT IN (SELECT id FROM messages)

-- name: forget_runs
DELETE FROM tool_runs
WHERE session_id NOT IN (SELECT id FROM sessions)
    OR (message_id IS NOT NULL AND message_id NOT IN (SELECT id FROM messages))

-- name: forget_answers
UPDATE tool_runs SET answer_id = NULL
WHERE answer_id IS NOT NULL AND answer_id NOT IN (SELECT id FROM messages)

-- name: forget_routes
DELETE FROM routes WHERE session_id NOT IN (SELECT id FROM sessions)

-- name: recount
UPDATE sessions SET
    message_count = (SELECT count(*) FROM messages AS m WHERE m.session_id = sessions.id),
    tool_call_count = (
        SELECT coalesce(sum(json_array_length(m.tool_calls)), 0)
        FROM messages AS m
        WHERE m.session_id = sessions.id AND json_valid(m.tool_calls)
    )
