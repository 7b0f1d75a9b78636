"""The embedded engine: one SQLite file in WAL mode. No other room knows that."""
