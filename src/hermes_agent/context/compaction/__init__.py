"""Making a long conversation short: what is kept, what a summary has to hold. Pure; no I/O."""
