-- name: list
SELECT job FROM jobs ORDER BY created_at, id

-- name: count
SELECT count(*) FROM jobs

-- name: get
SELECT job FROM jobs WHERE id = ?

-- name: put
INSERT INTO jobs (id, created_at, due_at, job)
VALUES (:id, :created_at, :due_at, :job)
ON CONFLICT (id) DO UPDATE SET due_at = excluded.due_at, job = excluded.job

-- name: remove
DELETE FROM jobs WHERE id = ?

-- name: due
SELECT job FROM jobs WHERE due_at <= ? ORDER BY due_at, id

-- name: next_due
SELECT min(due_at) FROM jobs WHERE due_at IS NOT NULL

-- name: taken_over
SELECT 1 FROM jobs_taken_over

-- name: note_taken_over
INSERT INTO jobs_taken_over (at) VALUES (?)

-- name: data_version
PRAGMA data_version
