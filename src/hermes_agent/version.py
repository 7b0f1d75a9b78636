"""The version, readable without importlib.metadata (36 ms). pyproject.toml says the same."""

VERSION = "0.1.0"
RELEASED = "2026-11-22"
VERSION_LINE = f"Hermes Agent v{VERSION} ({RELEASED})"
