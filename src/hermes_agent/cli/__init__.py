"""The command line: lazy commands and the terminal chat. Wires the rooms together."""
