"""Searching in an environment: the command, what stands in for ripgrep, and reading the output."""
