"""What may run, what may be read and written, what may be printed."""
