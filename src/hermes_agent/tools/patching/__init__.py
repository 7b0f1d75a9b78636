"""Editing text: finding what is meant, and multi-file patches. Pure functions over strings."""
