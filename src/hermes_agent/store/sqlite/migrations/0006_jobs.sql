-- Scheduled jobs. `job` is JSON as domain/jobs.py has Job; the other columns repeat what is
-- searched for.
CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    created_at REAL NOT NULL,
    -- When the scheduler has to look at it; NULL: never.
    due_at REAL,
    job TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX idx_jobs_due ON jobs (due_at) WHERE due_at IS NOT NULL;

-- When cron/jobs.json of an earlier installation was taken over.
CREATE TABLE jobs_taken_over (
    at REAL NOT NULL
);
