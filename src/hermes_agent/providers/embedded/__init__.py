"""The embedded model: a small model on this machine, for when there is no key and no server."""
