"""The rules, and the verdict that they come to."""

from hermes_agent.policy.rules.assess import assess

__all__ = ["assess"]
