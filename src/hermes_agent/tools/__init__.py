"""The agent's tools: a lazy table, toolsets, wrappers, and one module and one schema a tool."""
