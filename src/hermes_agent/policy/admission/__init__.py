"""Who may talk: allow-lists, pairing by code, roles, and how often."""
