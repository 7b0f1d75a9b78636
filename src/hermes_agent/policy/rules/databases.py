"""SQL and other stores."""

import re

from hermes_agent.policy.rules.finding import Finding, Rule, View, ask, key

_DROP = re.compile(
    r"\b(?:drop\s+(?:table|database|schema|view|index|role|user|column|sequence|owned|tablespace"
    r"|function|trigger|collection)|truncate\s+(?:table\s+)?[\w\"`\[]|alter\s+table\s.*?\bdrop\b"
    r"|reassign\s+owned|reset\s+master|purge\s+binary)",
    re.I | re.S,
)
_STATEMENT = re.compile(r"\b(?:delete\s+from|update\s+[\w.\"`\[\]]+\s+set)\b", re.I)
_COMMENTS = re.compile(r"--[^\n]*|/\*.*?\*/", re.S)
_LITERALS = re.compile(r"'(?:[^']|'')*'")


def sql(view: View) -> Finding | None:
    """Statements in arguments, here-documents and piped text."""
    texts = view.texts()
    if view.command.stdin is not None:
        texts.append(view.command.stdin.text)
    for index in view.command.upstream:
        source = view.script.commands[index]
        if source.program in ("echo", "printf"):
            texts += [w.text for w in source.argv[1:]]
        elif source.program == "cat" and source.stdin is not None:
            texts.append(source.stdin.text)
    if any(re.match(r"\s*(?:\\!|\.shell|\.system|system\s|\\copy.*program)", line)
           for t in texts for line in t.splitlines()):  # fmt: skip
        return ask(
            key("inline-code", view.program), "It runs a command from within the database client."
        )
    for text in texts:
        bare = _LITERALS.sub("''", _COMMENTS.sub(" ", text))
        if _DROP.search(bare):
            return ask("sql-drop", "It removes tables or all that is in them.")
        for statement in bare.split(";"):
            if _STATEMENT.search(statement) and not re.search(
                r"\bwhere\b(?!\s+(?:1|true)\b)", statement, re.I
            ):
                return ask("sql-unbounded", "It changes or deletes every row of a table.")
    if view.program in ("dropdb", "dropuser"):
        return ask(key("sql-drop", view.program), "It removes a database.")
    return None


def stores(view: View) -> Finding | None:
    """`redis-cli flushall`, `mongosh … dropDatabase()`."""
    text = " ".join(view.texts())
    if re.search(
        r"\b(?:flushall|flushdb|shutdown|config\s+set)\b|drop(?:Database)?\(|deleteMany\(\s*\{\s*\}",
        text,
        re.I,
    ):
        return ask(key("store-drop", view.program), "It removes everything in a database.")
    return None


def infrastructure(view: View) -> Finding | None:
    """`terraform destroy`, `kubectl delete`, cloud command lines."""
    texts = [t for t in view.texts() if not t.startswith("-")]
    verbs = (
        "destroy",
        "delete",
        "drain",
        "rm",
        "rb",
        "terminate-instances",
        "uninstall",
        "prune",
        "purge",
    )
    verb = next((t for t in texts if t in verbs or t.startswith(("delete-", "terminate-"))), None)
    if verb is None and view.program in ("terraform", "tofu", "pulumi"):
        verb = next((t for t in texts if t in ("apply", "up")), None)
    return (
        ask(key(view.program, verb), "It changes or removes what runs elsewhere.") if verb else None
    )


RULES: dict[str, tuple[Rule, ...]] = {
    **dict.fromkeys(("psql", "sqlite3", "sqlite", "mysql", "mariadb", "duckdb", "clickhouse-client",
                     "clickhouse", "sqlcmd", "cqlsh", "cockroach", "usql", "litecli", "pgcli",
                     "mycli", "dropdb", "dropuser", "mysqladmin", "influx", "bq",
                     "snowsql"), (sql,)),
    **dict.fromkeys(("redis-cli", "valkey-cli", "mongosh", "mongo"), (stores,)),
    **dict.fromkeys(("terraform", "tofu", "pulumi", "kubectl", "helm", "aws", "gcloud", "az",
                     "doctl",
                     "oc", "flyctl", "fly", "heroku", "nomad", "vault", "hcloud", "gsutil",
                     "rclone"), (infrastructure,)),
}  # fmt: skip
