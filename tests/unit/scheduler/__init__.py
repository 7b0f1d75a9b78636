"""Scheduled jobs at work."""
