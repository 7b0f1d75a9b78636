"""The daemon in a test: a platform in this process, the scripted model server, a real home."""
