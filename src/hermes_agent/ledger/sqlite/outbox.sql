-- name: put
INSERT INTO outbox (
    turn, part, platform, target, state, outgoing, created_at, touched_at, not_before
) VALUES (
    :turn, :part, :platform, :target, :state, :outgoing, :now, :now, :not_before
)
ON CONFLICT (turn, part) DO NOTHING
RETURNING id

-- name: older
SELECT 1 FROM outbox WHERE target = ? AND state IN ('waiting', 'sending') LIMIT 1

-- name: unknown
SELECT 1 FROM outbox
WHERE turn = :turn AND part = :part AND state = 'open' AND message_id IS NULL

-- name: settle
-- What is there already (streamed, or refused while it was streamed) takes the new post.
INSERT INTO outbox (turn, part, platform, target, state, outgoing, created_at, touched_at)
VALUES (:turn, :part, :platform, :target, 'waiting', :outgoing, :now, :now)
ON CONFLICT (turn, part) DO UPDATE SET
    state = 'waiting', outgoing = excluded.outgoing, touched_at = excluded.touched_at,
    doubtful = doubtful OR (state = 'open' AND message_id IS NULL)

-- name: lost
-- Begun, of unknown outcome, and without a final text to come.
SELECT count(*) FROM outbox WHERE turn = ? AND state = 'open' AND message_id IS NULL

-- name: close_open
UPDATE outbox SET state = 'sent', touched_at = :now WHERE turn = :turn AND state = 'open'

-- name: opened
UPDATE outbox SET message_id = :message_id, touched_at = :now WHERE id = :id

-- name: opened_parts
SELECT id, state, outgoing, created_at, attempts, message_id, error
FROM outbox
WHERE turn = ?
ORDER BY part

-- name: any
SELECT 1 FROM outbox WHERE state = 'waiting' LIMIT 1

-- name: next
UPDATE outbox
SET state = 'sending', attempts = attempts + 1, touched_at = :now
WHERE id = (
    SELECT o.id
    FROM outbox AS o
    WHERE o.state = 'waiting'
        AND (o.not_before <= :now OR o.touched_at > :now + 60)
        AND o.platform IN (SELECT value FROM json_each(:platforms))
        AND NOT EXISTS (
            SELECT 1 FROM outbox AS older
            WHERE older.target = o.target
                AND older.state IN ('waiting', 'sending')
                AND older.id < o.id
        )
    ORDER BY o.id
    LIMIT 1
)
RETURNING id, outgoing, message_id, attempts, doubtful

-- name: outgoing
SELECT outgoing FROM outbox WHERE id = ?

-- name: sent
UPDATE outbox
SET state = 'sent', message_id = :message_id, touched_at = :now, error = ''
WHERE id = :id

-- name: unsent
UPDATE outbox
SET state = :state, not_before = :not_before, touched_at = :now, error = :error,
    doubtful = doubtful OR :doubtful
WHERE id = :id AND state <> 'sent'

-- name: bury
UPDATE outbox SET state = 'dead', touched_at = :now, error = :error WHERE id = :id

-- name: reclaim
UPDATE outbox SET state = 'waiting', doubtful = 1 WHERE state = 'sending'

-- name: rows
SELECT id, state, outgoing, created_at, attempts, message_id, error
FROM outbox
WHERE state IN (SELECT value FROM json_each(:states))
ORDER BY id DESC
LIMIT :limit

-- name: retry
UPDATE outbox
SET state = 'waiting', attempts = 0, not_before = 0, touched_at = :now
WHERE id = :id AND state = 'dead'

-- name: drop
DELETE FROM outbox WHERE id = :id AND state IN ('dead', 'waiting')

-- name: counts
SELECT state, count(*) FROM outbox GROUP BY state

-- name: due
SELECT min(CASE WHEN touched_at > ?1 + 60 THEN ?1 ELSE not_before END)
FROM outbox
WHERE state = 'waiting' AND not_before > 0

-- name: prune
DELETE FROM outbox WHERE state = 'sent' AND touched_at < ?

-- name: count
INSERT INTO ledger_counts (name, count) VALUES (:name, :more)
ON CONFLICT (name) DO UPDATE SET count = count + excluded.count

-- name: counted
SELECT count FROM ledger_counts WHERE name = ?

-- name: remember
INSERT INTO ledger_facts (key, value) VALUES (?, ?)
ON CONFLICT (key) DO UPDATE SET value = excluded.value

-- name: recall
SELECT value FROM ledger_facts WHERE key = ?
