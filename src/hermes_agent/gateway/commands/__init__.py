"""Slash commands of chats."""
