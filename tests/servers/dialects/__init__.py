"""The vendors' wire formats, written from the vendors' own API references."""
