"""One tool a module, with its schema beside it: `<name>.py` and `<name>.json`."""
