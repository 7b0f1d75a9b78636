"""Programs that the agent wrote, and the way from them to its tools."""
