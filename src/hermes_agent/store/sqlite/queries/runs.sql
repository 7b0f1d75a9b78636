-- name: start
INSERT INTO tool_runs (session_id, message_id, call_id, name, arguments, started_at, status)
VALUES (:session_id, :message_id, :call_id, :name, :arguments, :now, 'running')

-- name: running
SELECT max(id) FROM tool_runs WHERE session_id = ? AND call_id = ? AND finished_at IS NULL

-- name: finish
UPDATE tool_runs SET finished_at = :now, status = :status, result = :result WHERE id = :id

-- name: finish_unstarted
INSERT INTO tool_runs (
    session_id, message_id, call_id, name, started_at, finished_at, status, result
) VALUES (:session_id, :message_id, :call_id, :name, :started_at, :now, :status, :result)

-- name: settle
-- The result stands in the history now; keeping it twice would double the disk.
UPDATE tool_runs SET arguments = NULL, result = NULL
WHERE session_id = ? AND call_id = ? AND coalesce(arguments, result) IS NOT NULL

-- name: answered
UPDATE tool_runs SET answer_id = :answer_id
WHERE session_id = :session_id
    AND call_id = :call_id
    AND message_id = :message_id
    AND finished_at IS NULL
    AND answer_id IS NULL

-- name: give_up
UPDATE tool_runs SET status = 'interrupted', arguments = NULL
WHERE session_id = ? AND status = 'running'

-- name: list
SELECT call_id, name, status, started_at, finished_at, message_id, result
FROM tool_runs
WHERE session_id = ?
ORDER BY id
