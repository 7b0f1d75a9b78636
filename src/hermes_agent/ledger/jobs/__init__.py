"""Scheduled jobs: their definitions, when they are due next, and how they went."""
