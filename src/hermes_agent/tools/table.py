"""All builtin tools. A tool is a module and a schema in `tools/builtin`, and one line here."""

from typing import Literal, NamedTuple

Effect = Literal["look", "look_all", "change", "note", "everything"]


class Entry(NamedTuple):
    """`module` is below `hermes_agent.tools.builtin`; `help` is for people, not for the model.

    `effect` decides what may run side by side: `look` reads the paths it names, `look_all` reads
    anywhere, `change` writes the paths it names, `note` touches its own state alone, and
    `everything` may touch anything. `needs` is the field of `ToolContext` without which the tool is
    not offered.
    """

    module: str
    toolset: str
    help: str
    effect: Effect
    needs: str = ""


# The order is the order in which the model sees the tools.
TABLE: dict[str, Entry] = {
    "terminal": Entry("terminal", "terminal", "Run shell commands", "everything"),
    "process": Entry("process", "terminal", "Follow and steer background commands", "everything"),
    "read_file": Entry("read_file", "file", "Read text files", "look"),
    "write_file": Entry("write_file", "file", "Create and replace files", "change"),
    "patch": Entry("patch", "file", "Edit files in place", "change"),
    "search_files": Entry("search_files", "file", "Search in and for files", "look_all"),
    "todo": Entry("todo", "todo", "Keep a list of steps", "note"),
    "clarify": Entry("clarify", "clarify", "Ask the person a question", "everything"),
    "memory": Entry(
        "memory", "memory", "Keep notes for later conversations", "note", needs="notes"
    ),
    "session_search": Entry(
        "session_search", "session_search", "Find past conversations", "note", needs="recall"
    ),
    "skills_list": Entry("skills_list", "skills", "List skills", "note", needs="skills"),
    "skill_view": Entry("skill_view", "skills", "Load a skill", "note", needs="skills"),
    "skill_manage": Entry("skill_manage", "skills", "Write skills", "everything", needs="skills"),
    "tool_search": Entry(
        "tool_search", "mcp", "Find tools of MCP servers", "note", needs="outside"
    ),
    "tool_use": Entry(
        "tool_use", "mcp", "Call tools of MCP servers", "everything", needs="outside"
    ),
    "delegate_task": Entry(
        "delegate_task", "delegation", "Send out sub-agents", "everything", needs="delegate"
    ),
    "execute_code": Entry(
        "execute_code",
        "code_execution",
        "Run Python that calls tools",
        "everything",
        needs="programs",
    ),
    "cronjob": Entry("cronjob", "cronjob", "Schedule jobs", "note", needs="jobs"),
}
