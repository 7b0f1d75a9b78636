-- A foreign database's values that the documented columns were never meant to hold.

-- name: counts
UPDATE sessions SET message_count = 0
WHERE message_count < 0 OR typeof(message_count) NOT IN ('integer', 'null');
UPDATE sessions SET tool_call_count = 0
WHERE tool_call_count < 0 OR typeof(tool_call_count) NOT IN ('integer', 'null');
UPDATE sessions SET input_tokens = 0
WHERE input_tokens < 0 OR typeof(input_tokens) NOT IN ('integer', 'null');
UPDATE sessions SET output_tokens = 0
WHERE output_tokens < 0 OR typeof(output_tokens) NOT IN ('integer', 'null');
UPDATE sessions SET cache_read_tokens = 0
WHERE cache_read_tokens < 0 OR typeof(cache_read_tokens) NOT IN ('integer', 'null');
UPDATE sessions SET cache_write_tokens = 0
WHERE cache_write_tokens < 0 OR typeof(cache_write_tokens) NOT IN ('integer', 'null');
UPDATE sessions SET reasoning_tokens = 0
WHERE reasoning_tokens < 0 OR typeof(reasoning_tokens) NOT IN ('integer', 'null');

-- name: costs
UPDATE sessions SET estimated_cost_usd = NULL
WHERE typeof(estimated_cost_usd) NOT IN ('integer', 'real', 'null')
    OR NOT estimated_cost_usd BETWEEN 0 AND 1e9;
UPDATE sessions SET actual_cost_usd = NULL
WHERE typeof(actual_cost_usd) NOT IN ('integer', 'real', 'null')
    OR NOT actual_cost_usd BETWEEN 0 AND 1e9;

-- name: odd_started
SELECT rowid, started_at FROM sessions
WHERE typeof(started_at) NOT IN ('integer', 'real', 'null')
    OR NOT started_at BETWEEN 0 AND 32503680000;

-- name: mend_started
UPDATE sessions SET started_at = coalesce(:moment, 0) WHERE rowid = :row;

-- name: odd_ended
SELECT rowid, ended_at FROM sessions
WHERE typeof(ended_at) NOT IN ('integer', 'real', 'null')
    OR NOT ended_at BETWEEN 0 AND 32503680000;

-- name: mend_ended
UPDATE sessions SET ended_at = :moment WHERE rowid = :row;

-- name: odd_said
SELECT rowid, timestamp FROM messages
WHERE typeof(timestamp) NOT IN ('integer', 'real', 'null')
    OR NOT timestamp BETWEEN 0 AND 32503680000;

-- name: mend_said
UPDATE messages
SET timestamp = coalesce(:moment, (SELECT started_at FROM sessions WHERE id = session_id), 0)
WHERE rowid = :row;

-- name: sources
SELECT DISTINCT CAST(source AS BLOB) FROM sessions;

-- name: mend_source
UPDATE sessions SET source = :source WHERE CAST(source AS BLOB) = :stored;

-- name: titles
SELECT rowid, CAST(id AS BLOB), CAST(title AS BLOB) FROM sessions
WHERE title IS NOT NULL
ORDER BY rowid DESC;

-- name: mend_title
UPDATE sessions SET title = :title WHERE rowid = :row;
