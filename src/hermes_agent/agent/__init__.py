"""The agent loop: model, tools, journal, in turns. No I/O of its own; everything is a port."""
