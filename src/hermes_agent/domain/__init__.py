"""The vocabulary: frozen types, the error tree and the ports. Imports nothing of ours."""
