"""The HTTP server: OpenAI's chat completions and responses, runs, sessions, jobs, health, metrics.

`server.ApiServer` is what wiring makes; docs/api-server.md says what clients see.
"""
