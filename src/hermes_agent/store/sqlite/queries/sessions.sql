-- name: insert
INSERT INTO sessions (
    id, source, user_id, model, model_config, system_prompt, parent_session_id, started_at,
    ended_at, end_reason, message_count, tool_call_count, input_tokens, output_tokens,
    cache_read_tokens, cache_write_tokens, reasoning_tokens, billing_provider, billing_base_url,
    billing_mode, estimated_cost_usd, actual_cost_usd, cost_status, cost_source, pricing_version,
    title
) VALUES (
    :id, :source, :user_id, :model, :model_config, :system_prompt, :parent_session_id, :started_at,
    :ended_at, :end_reason, :message_count, :tool_call_count, :input_tokens, :output_tokens,
    :cache_read_tokens, :cache_write_tokens, :reasoning_tokens, :billing_provider,
    :billing_base_url, :billing_mode, :estimated_cost_usd, :actual_cost_usd, :cost_status,
    :cost_source, :pricing_version, :title
)

-- name: get
SELECT
    id, source, user_id, model, model_config, system_prompt, parent_session_id, started_at,
    ended_at, end_reason, coalesce(message_count, 0), coalesce(tool_call_count, 0),
    coalesce(input_tokens, 0), coalesce(output_tokens, 0), coalesce(cache_read_tokens, 0),
    coalesce(cache_write_tokens, 0), coalesce(reasoning_tokens, 0), billing_provider,
    billing_base_url, billing_mode, estimated_cost_usd, actual_cost_usd, cost_status, cost_source,
    pricing_version, title
FROM sessions
WHERE id = ?

-- name: exists
SELECT 1 FROM sessions WHERE id = ?

-- name: id_of_title
SELECT id FROM sessions WHERE title = ?

-- name: ids_beginning_with
SELECT id FROM sessions WHERE id >= :name AND id < :name || char(1114111) ORDER BY id LIMIT 6

-- name: ids_of_title_in_any_case
SELECT id FROM sessions WHERE title = :name COLLATE NOCASE ORDER BY started_at DESC LIMIT 6

-- name: label
SELECT id, coalesce(title, '') FROM sessions WHERE id = ?

-- name: labels_containing
SELECT id, title FROM sessions WHERE instr(lower(title), lower(?)) ORDER BY started_at DESC LIMIT 5

-- name: titles_of_lineage
SELECT title FROM sessions WHERE title = :base OR substr(title, 1, length(:base) + 2) = :base || ' #'

-- name: latest
-- From the newest message backwards: the first of a fitting session ends the search.
SELECT m.session_id
FROM messages AS m
CROSS JOIN sessions AS s ON s.id = m.session_id
WHERE :source IS NULL OR s.source = :source
ORDER BY m.id DESC
LIMIT 1

-- name: list
WITH chosen AS (
    SELECT
        s.*,
        coalesce(
            (SELECT max(m.timestamp) FROM messages AS m WHERE m.session_id = s.id), s.started_at
        ) AS last_active
    FROM sessions AS s
    WHERE (:source IS NULL OR s.source = :source)
        AND (NOT :led OR s.source <> 'delegate' OR :source IS NOT NULL)
        AND (:since IS NULL OR s.started_at >= :since)
        AND (:before IS NULL OR s.started_at < :before)
        AND (:ended IS NULL OR (s.ended_at IS NOT NULL) = :ended)
        AND (
            NOT :with_messages
            OR EXISTS (SELECT 1 FROM messages AS m WHERE m.session_id = s.id)
        )
        AND NOT (
            :newest
            AND coalesce(s.end_reason = 'compression', 0)
            AND EXISTS (SELECT 1 FROM sessions AS c WHERE c.parent_session_id = s.id)
        )
    ORDER BY last_active DESC, s.id DESC
    LIMIT coalesce(:limit, -1)
)
SELECT
    id, source, title, model, started_at, ended_at, last_active, coalesce(message_count, 0),
    coalesce(tool_call_count, 0),
    coalesce((
        SELECT substr(m.content, 1, 400)
        FROM messages AS m
        LEFT JOIN message_details AS d ON d.message_id = m.id
        WHERE m.session_id = chosen.id AND m.role = 'user' AND coalesce(d.summary, 0) = 0
        ORDER BY m.id
        LIMIT 1
    ), '')
FROM chosen
ORDER BY last_active DESC, id DESC

-- name: update
UPDATE sessions SET
    user_id = :user_id,
    model = :model,
    model_config = :model_config,
    system_prompt = :system_prompt,
    billing_provider = :billing_provider,
    billing_base_url = :billing_base_url,
    billing_mode = :billing_mode,
    estimated_cost_usd = :estimated_cost_usd,
    actual_cost_usd = :actual_cost_usd,
    cost_status = :cost_status,
    cost_source = :cost_source,
    pricing_version = :pricing_version
WHERE id = :id

-- name: count
UPDATE sessions SET
    message_count = coalesce(message_count, 0) + 1,
    tool_call_count = coalesce(tool_call_count, 0) + :calls,
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

-- name: recount
UPDATE sessions SET
    message_count = (SELECT count(*) FROM messages AS m WHERE m.session_id = :id),
    tool_call_count = (
        SELECT coalesce(sum(json_array_length(m.tool_calls)), 0)
        FROM messages AS m
        LEFT JOIN message_details AS d ON d.message_id = m.id
        WHERE m.session_id = :id AND json_valid(m.tool_calls) AND d.copy_of IS NULL
    )
WHERE id = :id

-- name: end
UPDATE sessions SET ended_at = :now, end_reason = :reason WHERE id = :id AND ended_at IS NULL

-- name: reopen
UPDATE sessions SET ended_at = NULL, end_reason = NULL WHERE id = ?

-- name: rename
UPDATE sessions SET title = :title WHERE id = :id

-- name: errands
SELECT id FROM sessions WHERE parent_session_id = ? AND source = 'delegate'

-- name: orphan_children
UPDATE sessions SET parent_session_id = NULL WHERE parent_session_id = ?

-- name: delete_runs
DELETE FROM tool_runs WHERE session_id = ?

-- name: delete_messages
DELETE FROM messages WHERE session_id = ?

-- name: delete
DELETE FROM sessions WHERE id = ?

-- name: prunable
SELECT id
FROM sessions
WHERE ended_at IS NOT NULL
    AND ended_at < :ended_before
    AND (:source IS NULL OR source = :source)
