"""Chat platforms: one package each behind one contract, imported when they are enabled."""
