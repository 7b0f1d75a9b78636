"""Configuration: reading, layers, edits, secrets, managed mode."""
