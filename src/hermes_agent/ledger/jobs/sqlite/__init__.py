"""Jobs in `state.db`."""
