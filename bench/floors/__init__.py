"""The least programs for the same work, to compare with."""
