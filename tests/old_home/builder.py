"""A home as the older system left it, by the documented formats.

`build` writes every documented file once, with some of each kind of content; `variant` says which
shape the database has.
"""

import json
import sqlite3
from pathlib import Path
from typing import Any

CHAT = "agent:main:telegram:dm:7001"
GROUP = "agent:main:telegram:group:-900:7002"
LED = "a1b2c3d4"
"""The session in which CHAT is; it stands in the database."""
ONLY_LINES = "e5f6a7b8"
"""The session in which GROUP is; it stands in a transcript alone."""
ONLY_LOG = "20250901_101500_abc123"
RESUMED = "20250902_090000_def456"
"""A conversation of the terminal, called “Old plans”."""

_SESSIONS = (
    "id TEXT PRIMARY KEY, source TEXT NOT NULL, user_id TEXT, model TEXT, model_config TEXT,"
    " system_prompt TEXT, parent_session_id TEXT, started_at REAL NOT NULL, ended_at REAL,"
    " end_reason TEXT, message_count INTEGER DEFAULT 0, tool_call_count INTEGER DEFAULT 0,"
    " input_tokens INTEGER DEFAULT 0, output_tokens INTEGER DEFAULT 0,"
    " cache_read_tokens INTEGER DEFAULT 0, cache_write_tokens INTEGER DEFAULT 0,"
    " reasoning_tokens INTEGER DEFAULT 0, billing_provider TEXT, billing_base_url TEXT,"
    " billing_mode TEXT, estimated_cost_usd REAL, actual_cost_usd REAL, cost_status TEXT,"
    " cost_source TEXT, pricing_version TEXT, title TEXT{more},"
    " FOREIGN KEY (parent_session_id) REFERENCES sessions(id)"
)
_MESSAGES = (
    "id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL REFERENCES sessions(id),"
    " role TEXT NOT NULL, content TEXT, tool_call_id TEXT, tool_calls TEXT, tool_name TEXT,"
    " timestamp REAL NOT NULL, token_count INTEGER, finish_reason TEXT{more}"
)
_LATER = {
    "sessions": ", cwd TEXT, git_branch TEXT, session_key TEXT, archived INTEGER DEFAULT 0",
    "messages": ", reasoning TEXT, reasoning_details TEXT, rewound INTEGER NOT NULL DEFAULT 0",
}
CONFIG = """\
_config_version: 10
model: anthropic/claude-opus-4.6   # a text, as it often is
max_turns: 77
toolsets: [all]
approvals:
  mode: off
agent:
  reasoning_effort: low
terminal:
  backend: local
  timeout: 90
compression: {threshold: 0.6}
display: {personality: kawaii, compact: true}
smart_model_routing: {enabled: false}
honcho: {enabled: true}
"""


def build(home: Path, *, version: int = 5, base_url: str = "") -> None:
    """All of it in `home`; the model is at `base_url` if that is given."""
    home.mkdir(mode=0o700, exist_ok=True)
    config = CONFIG
    if base_url:
        model = f"model: {{provider: custom, base_url: '{base_url}', default: scripted-model}}\n"
        config = "".join(
            model if line.startswith("model:") else line for line in CONFIG.splitlines(True)
        )
    write(home / "config.yaml", config)
    write(home / ".env", "TELEGRAM_BOT_TOKEN=123456:old-token\nFIRECRAWL_API_KEY=fc-old\n")
    write(home / "SOUL.md", "You are Old Faithful.\n")
    database(home / "state.db", version)
    conversations(home / "sessions")
    beside(home)


def database(path: Path, version: int = 5) -> None:
    """`state.db` with two conversations, one of which went on in a child."""
    later = version > 5
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("CREATE TABLE schema_version (version INTEGER NOT NULL)")
    db.execute("INSERT INTO schema_version VALUES (?)", (version,))
    db.execute(f"CREATE TABLE sessions ({_SESSIONS.format(more=_LATER['sessions'] * later)})")
    db.execute(f"CREATE TABLE messages ({_MESSAGES.format(more=_LATER['messages'] * later)})")
    db.executescript(
        "CREATE INDEX idx_sessions_source ON sessions(source);"
        "CREATE INDEX idx_sessions_started ON sessions(started_at DESC);"
        "CREATE UNIQUE INDEX idx_sessions_title_unique ON sessions(title)"
        " WHERE title IS NOT NULL;"
        "CREATE VIRTUAL TABLE messages_fts USING"
        " fts5(content, content=messages, content_rowid=id);"
        "CREATE TRIGGER messages_fts_insert AFTER INSERT ON messages BEGIN"
        " INSERT INTO messages_fts(rowid, content) VALUES (new.id, new.content); END;"
    )
    if later:
        db.executescript(
            "CREATE TABLE routes (session_key TEXT PRIMARY KEY, session_id TEXT);"
            "CREATE TABLE compression_locks (session_id TEXT PRIMARY KEY, holder TEXT);"
            "CREATE TABLE spending (id INTEGER PRIMARY KEY, usd REAL);"
            "CREATE INDEX idx_routes_updated ON routes (session_id);"
            "INSERT INTO routes VALUES ('agent:main:telegram:dm:7001', 'a1b2c3d4');"
        )
    rows: list[dict[str, Any]] = [
        {"id": LED, "source": "telegram", "user_id": "7001", "started_at": 1756700000.0,
         "message_count": 4, "tool_call_count": 1},
        {
            "id": RESUMED, "source": "cli", "model": "anthropic/claude-opus-4.6",
            "started_at": 1756800000.0, "ended_at": 1756800900.0, "end_reason": "compression",
            "input_tokens": 5000, "output_tokens": 700, "reasoning_tokens": 40,
            "estimated_cost_usd": 0.25, "title": "Old plans",
        },
        {
            "id": f"{RESUMED}b", "source": "cli", "parent_session_id": RESUMED,
            "started_at": 1756801000.0, "title": "Old plans #2",
        },
    ]  # fmt: skip
    for row in rows:
        _insert(db, "sessions", row)
    call = [{"id": "call_1", "type": "function",
             "function": {"name": "terminal", "arguments": '{"command": "true"}'}}]  # fmt: skip
    _say(db, LED, "user", "The gardener is called Ambrose.")
    _say(db, LED, "assistant", "", tool_calls=json.dumps(call))
    _say(db, LED, "tool", '{"output": ""}', tool_call_id="call_1", tool_name="terminal")
    _say(db, LED, "assistant", "Noted: Ambrose.", finish_reason="stop")
    _say(db, RESUMED, "user", "We plan a lighthouse at Skerryvore.")
    _say(db, RESUMED, "assistant", "A lighthouse it is.")
    _say(db, f"{RESUMED}b", "user", "Make it taller.")
    db.commit()
    db.close()


def conversations(folder: Path) -> None:
    """`sessions/`: which chat is where, transcripts of two chats, the log of one run."""
    origin = {"platform": "telegram", "chat_id": 7001, "chat_name": "Ada", "chat_type": "dm",
              "user_id": 7001, "user_name": "ada", "thread_id": None}  # fmt: skip
    entry = {"session_key": CHAT, "session_id": LED, "created_at": "2025-09-01T06:13:20",
             "updated_at": "2025-09-01T07:00:00", "display_name": "Ada", "platform": "telegram",
             "chat_type": "dm", "input_tokens": 10, "origin": origin}  # fmt: skip
    group = {**origin, "chat_id": -900, "chat_type": "group", "user_id": 7002, "user_name": "bob"}
    chats = {
        CHAT: entry,
        GROUP: {**entry, "session_key": GROUP, "session_id": ONLY_LINES, "origin": group},
    }
    write(folder / "sessions.json", json.dumps(chats))
    lines: list[dict[str, Any]] = [
        {"role": "user", "content": "Bob keeps newts.", "timestamp": "2025-09-01T08:00:00"},
        {"role": "assistant", "content": [{"type": "text", "text": "Newts, then."}]},
        {"role": "assistant", "content": "From a job.", "mirror": True, "mirror_source": "cron"},
        {"role": "session_meta", "tools": []},
    ]
    write(folder / f"{ONLY_LINES}.jsonl", "\n".join(map(json.dumps, lines)) + "\n{torn")
    write(
        folder / f"{LED}.jsonl", json.dumps({"role": "user", "content": "stands in the database"})
    )
    log = {
        "session_id": ONLY_LOG, "model": "m", "base_url": "http://127.0.0.1:1/v1",
        "platform": "cli", "session_start": "2025-09-01T10:15:00", "system_prompt": "Old prompt.",
        "tools": [], "message_count": 1,
        "messages": [{"role": "user", "content": "What weighs a kestrel?"}],
    }  # fmt: skip
    write(folder / f"session_{ONLY_LOG}.json", json.dumps(log))


def beside(home: Path) -> None:
    """Notes, skills, jobs, people, logins, and what this system has no use for."""
    write(home / "memories/MEMORY.md", "The build is make\n§\nTests need a network\n§\nUse uv")
    write(home / "memories/USER.md", "Prefers tabs\n§\n" + "x" * 1400)
    skill = "---\nname: {0}\ndescription: How to {0}.\n---\nStep.\n"
    write(home / "skills/garden/prune/SKILL.md", skill.format("prune"))
    write(home / "skills/garden/DESCRIPTION.md", "Gardening.")
    write(home / "skills/.bundled_manifest", "gone-skill:d41d8cd98f00b204e9800998ecf8427e\n")
    write(home / "skills/.hub/lock.json", json.dumps({"version": 1, "installed": {"prune": {}}}))
    job = {
        "id": "0123456789ab", "name": "weekly", "prompt": "Say hello", "skills": ["prune"],
        "skill": "prune", "model": None, "provider": None, "base_url": None,
        "schedule": {"kind": "cron", "expr": "0 9 * * 1", "display": "0 9 * * 1"},
        "schedule_display": "0 9 * * 1", "repeat": {"times": None, "completed": 4},
        "enabled": True, "state": "scheduled", "paused_at": None, "paused_reason": None,
        "created_at": "2025-09-01T06:00:00+00:00", "next_run_at": "2099-09-07T09:00:00+00:00",
        "last_run_at": "2025-08-31T09:00:00+00:00", "last_status": "ok", "last_error": None,
        "deliver": "origin",
        "origin": {"platform": "telegram", "chat_id": "7001", "chat_name": "Ada"},
        "context_from": [], "workdir": None, "enabled_toolsets": None,
    }  # fmt: skip
    write(home / "cron/jobs.json", json.dumps({"jobs": [job], "updated_at": "2025-09-01T06:00:00"}))
    write(home / "cron/output/0123456789ab/2025-08-31_09-00-00.md", "Hello.\n")
    approved = {"7001": {"user_name": "ada", "approved_at": 1756700000.0}}
    write(home / "pairing/telegram-approved.json", json.dumps(approved))
    tokens = {"tokens": {"access_token": "old", "refresh_token": "old"}}
    logins = {"version": 1, "active_provider": None, "providers": {"openai-codex": tokens}}
    write(home / "auth.json", json.dumps(logins))
    write(home / "gateway.pid", json.dumps({"pid": 4194000, "kind": "hermes-gateway", "argv": []}))
    write(home / "gateway_state.json", json.dumps({"pid": 4194000, "gateway_state": "running"}))
    write(home / "processes.json", "[]")
    write(home / ".hermes_history", "\n# 2025-09-01 10:00:00\n+hello\n")
    for path in ("gateway.json", "honcho.json", "skins/blue.yaml", "pastes/p.txt",
                 "hooks/greet/HOOK.yaml", "plugins/mine/plugin.yaml", "checkpoints/x",
                 "mcp-tokens/linear.json", "channel_directory.json"):  # fmt: skip
        write(home / path, "{}")


def write(path: Path, content: str) -> None:
    """A file, with the folders above it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_text(content, "utf-8")
    path.chmod(0o600)


def _insert(db: sqlite3.Connection, table: str, row: dict[str, Any]) -> None:
    marks = ", ".join("?" * len(row))
    db.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))


def _say(db: sqlite3.Connection, session: str, role: str, content: str, **more: str) -> None:
    row = {"session_id": session, "role": role, "content": content, "timestamp": 1756700001.0}
    _insert(db, "messages", {**row, **more})
