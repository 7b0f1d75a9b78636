-- name: get
SELECT session_key, session_id, created_at, updated_at, origin, choices
FROM routes
WHERE session_key = ?

-- name: put
INSERT INTO routes (session_key, session_id, created_at, updated_at, origin, choices)
VALUES (:session_key, :session_id, :created_at, :updated_at, :origin, :choices)
ON CONFLICT (session_key) DO UPDATE SET
    session_id = excluded.session_id,
    updated_at = excluded.updated_at,
    origin = excluded.origin,
    choices = excluded.choices

-- name: list
SELECT session_key, session_id, created_at, updated_at, origin, choices
FROM routes
ORDER BY updated_at DESC
LIMIT ?
