"""The terminal chat: what is shown, and how a person answers back."""
