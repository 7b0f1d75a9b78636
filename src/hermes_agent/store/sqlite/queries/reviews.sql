-- name: unreviewed
-- What was said in the session, and where it began, since the last message that was looked at.
WITH RECURSIVE
    lineage (id) AS (
        SELECT :session_id
        UNION
        SELECT p.id
        FROM lineage
        JOIN sessions AS s ON s.id = lineage.id
        JOIN sessions AS p ON p.id = s.parent_session_id
        WHERE p.end_reason = 'compression'
    )
SELECT m.id, substr(m.content, 1, :chars), m.timestamp
FROM messages AS m
LEFT JOIN message_details AS d ON d.message_id = m.id
WHERE m.session_id IN (SELECT id FROM lineage)
    AND m.role = 'user'
    AND m.id > coalesce(
        (SELECT max(message_id) FROM reviews WHERE session_id IN (SELECT id FROM lineage)), 0
    )
    AND d.copy_of IS NULL
    AND NOT coalesce(d.summary, 0)
    -- A copy took the name of its turn over.
    AND NOT EXISTS (
        SELECT 1 FROM message_details AS t
        WHERE t.message_id = m.id AND t.turn LIKE :scripted
            OR t.copy_of = m.id AND t.turn LIKE :scripted
    )
ORDER BY m.id DESC
LIMIT :most

-- name: reviewed
INSERT INTO reviews (session_id, message_id, calls, input_tokens, output_tokens)
VALUES (:session_id, :message_id, 0, 0, 0)
ON CONFLICT (session_id) DO UPDATE SET message_id = max(message_id, excluded.message_id)

-- name: asked
INSERT INTO reviews (session_id, message_id, calls, input_tokens, output_tokens, cost_usd)
VALUES (:session_id, 0, 1, :input, :output, :cost)
ON CONFLICT (session_id) DO UPDATE SET
    calls = calls + 1,
    input_tokens = input_tokens + excluded.input_tokens,
    output_tokens = output_tokens + excluded.output_tokens,
    cost_usd = CASE
        WHEN excluded.cost_usd IS NULL THEN cost_usd
        ELSE coalesce(cost_usd, 0) + excluded.cost_usd
    END

-- name: reviews
WITH RECURSIVE
    lineage (id) AS (
        SELECT :session_id
        UNION
        SELECT p.id
        FROM lineage
        JOIN sessions AS s ON s.id = lineage.id
        JOIN sessions AS p ON p.id = s.parent_session_id
        WHERE p.end_reason = 'compression'
    )
SELECT coalesce(sum(calls), 0), coalesce(sum(input_tokens), 0),
    coalesce(sum(output_tokens), 0), sum(cost_usd)
FROM reviews
WHERE session_id IN (SELECT id FROM lineage)
