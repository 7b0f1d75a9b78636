-- What an older installation kept in files beside the database, and what became of each: read
-- into the tables once, when this migration is applied. See store/sqlite/old_home.py.
CREATE TABLE old_home (
    -- transcript: a conversation in sessions/; chat: an entry of sessions/sessions.json.
    what TEXT NOT NULL CHECK (what IN ('transcript', 'chat')),
    name TEXT NOT NULL,
    -- Empty when all of it was taken over.
    problem TEXT NOT NULL,
    PRIMARY KEY (what, name)
) WITHOUT ROWID;
