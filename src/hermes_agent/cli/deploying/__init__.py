"""What `hermes deploy` does."""
