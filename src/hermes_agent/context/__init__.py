"""What the model is told before the conversation: the prompt, context files, token accounting."""
