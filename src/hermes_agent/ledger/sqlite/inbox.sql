-- name: accept
INSERT INTO inbox (platform, key, session_key, inbound, accepted_at, touched_at)
VALUES (:platform, :key, :session_key, :inbound, :now, :now)
ON CONFLICT (platform, key) DO NOTHING

-- name: known
SELECT id, accepted_at FROM inbox WHERE platform = ? AND key = ?

-- name: any
SELECT 1 FROM inbox WHERE state IN ('waiting', 'working') LIMIT 1

-- name: claim
-- The oldest row whose session nobody works on and has none older that is open. A lease that ran
-- out counts for other workers only: its own holder has the message still in hand. Nobody waits
-- for a time that was set more than a minute in the future: the clock was turned back since.
UPDATE inbox
SET state = 'working', worker = :worker, lease_until = :until, attempts = attempts + 1,
    touched_at = :now
WHERE id = (
    SELECT i.id
    FROM inbox AS i
    WHERE i.state IN ('waiting', 'working')
        AND (i.not_before <= :now OR i.touched_at > :now + 60)
        AND (i.state = 'waiting' OR (i.lease_until < :now AND i.worker <> :worker))
        AND NOT EXISTS (
            SELECT 1 FROM inbox AS older
            WHERE older.session_key = i.session_key
                AND older.state IN ('waiting', 'working')
                AND older.id < i.id
        )
    ORDER BY i.id
    LIMIT 1
)
RETURNING id, session_key, inbound, accepted_at, attempts

-- name: renew
UPDATE inbox SET lease_until = :until WHERE state = 'working' AND worker = :worker RETURNING id

-- name: held
SELECT 1 FROM inbox WHERE id = :id AND state = 'working' AND worker = :worker AND attempts = :attempt

-- name: done
UPDATE inbox
SET state = 'done', touched_at = :now, worker = NULL, lease_until = NULL, error = ''
WHERE id = :id

-- name: absorb
UPDATE inbox SET state = 'done', touched_at = :now WHERE id = :id AND state = 'waiting'

-- name: release
UPDATE inbox
SET state = :state, touched_at = :now, not_before = :not_before, error = :error, worker = NULL,
    lease_until = NULL
WHERE id = :id

-- name: bury
UPDATE inbox
SET state = 'dead', touched_at = :now, error = :error, worker = NULL, lease_until = NULL
WHERE id = :id

-- name: reclaim
UPDATE inbox
SET state = 'waiting', worker = NULL, lease_until = NULL
WHERE state = 'working' AND worker = ?

-- name: waiting
SELECT id, state, session_key, inbound, accepted_at, attempts, error
FROM inbox
WHERE session_key = ? AND state = 'waiting'
ORDER BY id

-- name: rows
SELECT id, state, session_key, inbound, accepted_at, attempts, error
FROM inbox
WHERE state IN (SELECT value FROM json_each(:states))
ORDER BY id DESC
LIMIT :limit

-- name: retry
UPDATE inbox
SET state = 'waiting', attempts = 0, not_before = 0, touched_at = :now
WHERE id = :id AND state = 'dead'

-- name: drop
DELETE FROM inbox WHERE id = :id AND state IN ('dead', 'waiting')

-- name: counts
SELECT state, count(*) FROM inbox GROUP BY state

-- name: oldest_waiting
SELECT min(accepted_at) FROM inbox WHERE state = 'waiting'

-- name: due
SELECT min(CASE WHEN touched_at > ?1 + 60 THEN ?1 ELSE not_before END)
FROM inbox
WHERE state = 'waiting' AND not_before > 0

-- name: prune
DELETE FROM inbox WHERE state = 'done' AND touched_at < ?
