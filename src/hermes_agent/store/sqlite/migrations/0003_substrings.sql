-- Substring search, for scripts without spaces (Chinese, Japanese, Thai, …) in any message and
-- for all scripts in what people and models said. Tool output in other scripts stays out: it is
-- most of the bytes, and the word index serves it.
-- Two newlines at the end let the last one or two characters begin a trigram too, so that words
-- of two characters can be looked up by the beginning of a trigram.
CREATE VIEW messages_substrings_source AS
SELECT id, content || char(10, 10) AS content
FROM messages
WHERE content IS NOT NULL
    AND (role IN ('user', 'assistant') OR content GLOB '*[฀-྿က-႟ក-៿぀-ヿ㐀-䶿一-鿿가-힯豈-﫿]*');

CREATE VIRTUAL TABLE messages_substrings USING fts5 (
    content,
    content = 'messages_substrings_source',
    content_rowid = 'id',
    tokenize = 'trigram',
    detail = 'none'
);

CREATE TRIGGER messages_substrings_insert AFTER INSERT ON messages
WHEN new.content IS NOT NULL
    AND (
        new.role IN ('user', 'assistant')
        OR new.content GLOB '*[฀-྿က-႟ក-៿぀-ヿ㐀-䶿一-鿿가-힯豈-﫿]*'
    )
BEGIN
    INSERT INTO messages_substrings (rowid, content)
    VALUES (new.id, new.content || char(10, 10));
END;

CREATE TRIGGER messages_substrings_delete AFTER DELETE ON messages
WHEN old.content IS NOT NULL
    AND (
        old.role IN ('user', 'assistant')
        OR old.content GLOB '*[฀-྿က-႟ក-៿぀-ヿ㐀-䶿一-鿿가-힯豈-﫿]*'
    )
BEGIN
    INSERT INTO messages_substrings (messages_substrings, rowid, content)
    VALUES ('delete', old.id, old.content || char(10, 10));
END;

-- Two triggers for a change: what was indexed goes, then what is to be indexed comes.
CREATE TRIGGER messages_substrings_before_update BEFORE UPDATE OF id, role, content ON messages
WHEN old.content IS NOT NULL
    AND (
        old.role IN ('user', 'assistant')
        OR old.content GLOB '*[฀-྿က-႟ក-៿぀-ヿ㐀-䶿一-鿿가-힯豈-﫿]*'
    )
BEGIN
    INSERT INTO messages_substrings (messages_substrings, rowid, content)
    VALUES ('delete', old.id, old.content || char(10, 10));
END;

CREATE TRIGGER messages_substrings_after_update AFTER UPDATE OF id, role, content ON messages
WHEN new.content IS NOT NULL
    AND (
        new.role IN ('user', 'assistant')
        OR new.content GLOB '*[฀-྿က-႟ក-៿぀-ヿ㐀-䶿一-鿿가-힯豈-﫿]*'
    )
BEGIN
    INSERT INTO messages_substrings (rowid, content)
    VALUES (new.id, new.content || char(10, 10));
END;

INSERT INTO messages_substrings (messages_substrings) VALUES ('rebuild');
