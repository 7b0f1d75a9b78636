-- name: insert
INSERT INTO messages (
    session_id, role, content, tool_call_id, tool_calls, tool_name, timestamp, token_count,
    finish_reason
) VALUES (
    :session_id, :role, :content, :tool_call_id, :tool_calls, :tool_name, :timestamp, :token_count,
    :finish_reason
)

-- name: insert_details
INSERT INTO message_details (
    message_id, model, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens,
    reasoning_tokens, cost_usd, reasoning, call_states, images, turn, summary
) VALUES (
    :message_id, :model, :input, :output, :cache_read, :cache_write, :reasoning_tokens, :cost,
    :reasoning, :call_states, :images, :turn, :summary
)

-- name: history
-- The content as bytes: another program may have stored what is no UTF-8.
SELECT
    m.id, m.role, CAST(m.content AS BLOB), m.tool_call_id, m.tool_calls, m.tool_name, m.timestamp,
    m.finish_reason, d.message_id, d.model, d.input_tokens, d.output_tokens, d.cache_read_tokens,
    d.cache_write_tokens, d.reasoning_tokens, d.cost_usd, d.reasoning, d.call_states, d.images,
    d.turn, d.summary
FROM messages AS m INDEXED BY idx_messages_order
LEFT JOIN message_details AS d ON d.message_id = m.id
WHERE m.session_id = ?
ORDER BY m.id

-- name: of_turn
SELECT m.session_id, m.id
FROM message_details AS d
JOIN messages AS m ON m.id = d.message_id
WHERE d.turn = ?

-- name: last_asking
SELECT max(id) FROM messages WHERE session_id = ? AND tool_calls IS NOT NULL

-- name: answered_by_repair
-- The result that a repair wrote for a call which ended after all, if nothing was asked since.
SELECT answer_id
FROM tool_runs
WHERE session_id = :session_id
    AND call_id = :call_id
    AND message_id = (
        SELECT max(id) FROM messages WHERE session_id = :session_id AND tool_calls IS NOT NULL
    )
ORDER BY id DESC
LIMIT 1

-- name: replace_answer
UPDATE messages SET content = :content, tool_name = :tool_name, timestamp = :timestamp
WHERE id = :id

-- name: next_id
SELECT max(
    coalesce((SELECT max(id) FROM messages), 0),
    coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'messages'), 0)
) + 1

-- name: move
UPDATE messages SET id = :new WHERE id = :old

-- name: is_in_session
SELECT 1 FROM messages WHERE session_id = ? AND id = ?

-- name: rewind
DELETE FROM messages WHERE session_id = ? AND id >= ?
