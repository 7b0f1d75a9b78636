-- Every model call and what it cost, one row each. Rows outlive their sessions: what was spent
-- stays spent. See store/spending.py.
CREATE TABLE spending (
    id INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    -- The session that asked, and the one that a person leads: a sub-agent's parent, the first of
    -- those that went on in each other.
    session_id TEXT NOT NULL,
    root_id TEXT NOT NULL,
    -- Of the root: cli, telegram, cron, api_server, mcp and so on.
    source TEXT NOT NULL,
    purpose TEXT NOT NULL,
    model TEXT NOT NULL,
    provider TEXT NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cache_read_tokens INTEGER NOT NULL,
    cache_write_tokens INTEGER NOT NULL,
    reasoning_tokens INTEGER NOT NULL,
    -- Unknown where it is NULL, which is not the same as nothing.
    usd REAL,
    status TEXT NOT NULL CHECK (status IN ('actual', 'estimated', 'unknown')),
    -- The day of the prices that an estimate was made with.
    prices TEXT NOT NULL
);

-- The caps are sums over these; everything they read stands in the index.
CREATE INDEX idx_spending_at ON spending (at, usd, input_tokens, output_tokens);
CREATE INDEX idx_spending_root ON spending (
    root_id, usd, input_tokens, output_tokens, status
);

-- What was spent before this table was there, as far as it is known: a row for each session. The
-- counts of sub-agents are in those of their parents.
INSERT INTO spending (
    at, session_id, root_id, source, purpose, model, provider, input_tokens, output_tokens,
    cache_read_tokens, cache_write_tokens, reasoning_tokens, usd, status, prices
)
SELECT
    coalesce(ended_at, started_at, 0),
    id,
    id,
    source,
    'turn',
    coalesce(model, ''),
    coalesce(billing_provider, ''),
    coalesce(input_tokens, 0),
    coalesce(output_tokens, 0),
    coalesce(cache_read_tokens, 0),
    coalesce(cache_write_tokens, 0),
    coalesce(reasoning_tokens, 0),
    coalesce(actual_cost_usd, estimated_cost_usd),
    CASE
        WHEN actual_cost_usd IS NOT NULL THEN 'actual'
        WHEN estimated_cost_usd IS NOT NULL THEN 'estimated'
        ELSE 'unknown'
    END,
    ''
FROM sessions
WHERE source <> 'delegate'
    AND (
        coalesce(input_tokens, 0) + coalesce(output_tokens, 0) > 0
        OR coalesce(actual_cost_usd, estimated_cost_usd) IS NOT NULL
    );
