"""The gateway under load: a platform in its own process, a model server beside it, gauges."""
