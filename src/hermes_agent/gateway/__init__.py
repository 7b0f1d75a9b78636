"""The daemon: it takes messages in, has them answered, sends the answers and stays up."""
