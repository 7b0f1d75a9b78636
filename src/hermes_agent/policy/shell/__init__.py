"""Shell commands, taken apart: from the text to the simple commands that would run."""

from hermes_agent.policy.shell.model import Command, Doubt, Redirect, Script, Word
from hermes_agent.policy.shell.normalise import Normalised, normalise
from hermes_agent.policy.shell.parse import TooComplex, parse

__all__ = [
    "Command",
    "Doubt",
    "Normalised",
    "Redirect",
    "Script",
    "TooComplex",
    "Word",
    "normalise",
    "parse",
]
