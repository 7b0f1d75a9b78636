"""What came in and is not answered yet, what goes out and is not sent yet."""
