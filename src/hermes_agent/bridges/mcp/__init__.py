"""The Model Context Protocol (https://modelcontextprotocol.io), by its own Python library.

The library is an extra (`hermes-agent[mcp]`) and imported when the first server is connected.
"""
