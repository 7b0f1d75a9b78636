"""All commands: where each lives and what it says of itself in `--help`.

The help stands here so that `hermes --help` imports none of them.
"""

from typing import NamedTuple


class Entry(NamedTuple):
    """`module` below `hermes_agent.cli.commands` holds a click command named `command`."""

    module: str
    help: str


COMMANDS: dict[str, Entry] = {
    "chat": Entry("chat", "Talk to the agent (the default command)."),
    "config": Entry("config", "Show and change the configuration."),
    "cron": Entry("cron", "Jobs that run on a schedule."),
    "deploy": Entry("deploy", "Put the agent onto a machine as one file declares it."),
    "doctor": Entry("doctor", "Find out what is wrong, and mend it with --fix."),
    "completion": Entry("completion", "Print the completion script for bash, zsh or fish."),
    "gateway": Entry("gateway", "The always-on service: chat apps, HTTP, mail, timers."),
    "help": Entry("help", "What a command does, and its options."),
    "insights": Entry("insights", "What the agent did, and what it cost."),
    "logs": Entry("logs", "Show the gateway's log."),
    "mcp": Entry("mcp", "Servers that bring more tools."),
    "memory": Entry("memory", "What the agent noted down for good."),
    "migrate": Entry("migrate", "Take over the home of an older installation."),
    "model": Entry("model", "Choose, list and test models."),
    "pairing": Entry("pairing", "Let people in who knocked, and see them out."),
    "sessions": Entry("sessions", "List, search, export and tidy past conversations."),
    "setup": Entry("setup", "Set the agent up, question by question."),
    "skills": Entry("skills", "Instructions for kinds of tasks: list, install, write."),
    "status": Entry("status", "What is configured and whether it works."),
    "tools": Entry("tools", "List, enable and disable the agent's tools."),
    "version": Entry("version", "The version, and what it runs on."),
}
