"""The least line editor: a prompt of prompt_toolkit that asks once."""

from prompt_toolkit import PromptSession

PromptSession[str]().prompt("❯ ")
