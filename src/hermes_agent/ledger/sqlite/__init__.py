"""The ledger in the home's SQLite file."""
