-- name: stats
SELECT
    (SELECT count(*) FROM sessions),
    (SELECT count(*) FROM messages),
    (SELECT min(started_at) FROM sessions),
    (SELECT max(started_at) FROM sessions)

-- name: by_source
SELECT source, count(*) FROM sessions GROUP BY source ORDER BY 2 DESC, 1

-- name: facts
-- One row per session, model and day; whoever asks adds them up by what they want to know.
SELECT
    m.session_id, coalesce(s.title, s.id), s.source, coalesce(d.model, s.model, ''),
    date(m.timestamp, 'unixepoch', 'localtime'), count(*),
    sum(CASE WHEN json_valid(m.tool_calls) THEN json_array_length(m.tool_calls) ELSE 0 END),
    coalesce(sum(d.input_tokens), 0), coalesce(sum(d.output_tokens), 0),
    coalesce(sum(d.cache_read_tokens), 0), coalesce(sum(d.cache_write_tokens), 0),
    coalesce(sum(d.reasoning_tokens), 0), coalesce(sum(d.cost_usd), 0.0)
FROM messages AS m
JOIN sessions AS s ON s.id = m.session_id
LEFT JOIN message_details AS d ON d.message_id = m.id
WHERE m.timestamp >= :since
    AND (:source IS NULL OR s.source = :source)
    AND d.copy_of IS NULL
GROUP BY 1, 4, 5

-- name: by_tool
SELECT
    r.name, count(*), sum(r.status IN ('error', 'interrupted')),
    coalesce(sum(r.finished_at - r.started_at), 0.0)
FROM tool_runs AS r
JOIN sessions AS s ON s.id = r.session_id
WHERE r.started_at >= :since AND (:source IS NULL OR s.source = :source)
GROUP BY r.name
ORDER BY 2 DESC, 1
