"""What every entrance runs agents with: models, tools and prompts put together from the
configuration."""
