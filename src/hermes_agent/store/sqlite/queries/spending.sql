-- name: root
-- The session that a person leads, and its source.
WITH RECURSIVE line (id, parent, source, depth) AS (
    SELECT id, parent_session_id, source, 0 FROM sessions WHERE id = ?
    UNION
    SELECT p.id, p.parent_session_id, p.source, line.depth + 1
    FROM line
    JOIN sessions AS p ON p.id = line.parent
    WHERE (line.source = 'delegate' OR p.end_reason = 'compression') AND line.depth < 10000
)
SELECT id, source FROM line ORDER BY depth DESC LIMIT 1

-- name: book
INSERT INTO spending (
    at, session_id, root_id, source, purpose, model, provider, input_tokens, output_tokens,
    cache_read_tokens, cache_write_tokens, reasoning_tokens, usd, status, prices
) VALUES (
    :at, :session_id, :root_id, :source, :purpose, :model, :provider, :input, :output,
    :cache_read, :cache_write, :reasoning, :usd, :status, :prices
)

-- name: charge
-- The least certain of a session's calls says how certain its cost is.
UPDATE sessions SET
    estimated_cost_usd = CASE
        WHEN :usd IS NULL THEN estimated_cost_usd
        ELSE coalesce(estimated_cost_usd, 0) + :usd
    END,
    cost_status = CASE
        WHEN 'unknown' IN (:status, cost_status) THEN 'unknown'
        WHEN 'estimated' IN (:status, cost_status) THEN 'estimated'
        ELSE 'actual'
    END,
    cost_source = CASE :status
        WHEN 'actual' THEN 'provider'
        WHEN 'estimated' THEN 'prices'
        ELSE cost_source
    END,
    pricing_version = CASE WHEN :prices = '' THEN pricing_version ELSE :prices END,
    billing_provider = CASE WHEN :provider = '' THEN billing_provider ELSE :provider END
WHERE id = :session_id

-- name: between
SELECT
    count(*), coalesce(sum(usd), 0.0), coalesce(sum(input_tokens + output_tokens), 0),
    0, count(*) - count(usd)
FROM spending
WHERE at >= ? AND at < ?

-- name: in_root
SELECT
    count(*), coalesce(sum(usd), 0.0), coalesce(sum(input_tokens + output_tokens), 0),
    coalesce(sum(status = 'estimated'), 0), count(*) - count(usd)
FROM spending
WHERE root_id = ?

-- name: slices
SELECT
    cast(at / 900 AS INTEGER) * 900.0, model, provider, source, purpose,
    count(*), coalesce(sum(usd), 0.0), sum(input_tokens + output_tokens),
    sum(status = 'estimated'), count(*) - count(usd)
FROM spending
WHERE at >= :since AND (:source IS NULL OR source = :source)
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1
