"""Secrets taken out of what is logged, handed to the model or delivered.

What a person types on purpose is theirs and is not touched.
"""

from hermes_agent.policy.redaction.mask import is_masked, mask
from hermes_agent.policy.redaction.redactor import Redactor
from hermes_agent.policy.redaction.stream import RedactingStream

__all__ = ["RedactingStream", "Redactor", "is_masked", "mask"]
