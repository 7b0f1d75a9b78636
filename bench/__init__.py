"""What the program costs, measured against floors in the same run. Start with `bench/run`."""
