"""Configuration: paths, schema, layers, edits, secrets, managed mode."""
