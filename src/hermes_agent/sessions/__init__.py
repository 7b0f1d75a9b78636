"""Sessions: from a history to a turn and back, and the slash commands."""
