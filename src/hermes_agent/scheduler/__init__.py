"""Scheduled jobs at work: due ones become inbound messages, and these are answered."""
