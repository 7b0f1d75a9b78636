"""Other programs' protocols: servers that bring tools, editors that want an agent."""
