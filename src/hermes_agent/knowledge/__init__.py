"""What the agent keeps: its notes, and the way back into past conversations."""
