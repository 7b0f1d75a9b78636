"""From what the agent says to what a platform can show."""
