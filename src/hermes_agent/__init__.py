"""Hermes Agent: a personal AI agent on a machine that its owner controls."""
