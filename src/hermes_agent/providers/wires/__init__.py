"""The four protocols that models speak: pure encoding and decoding, no I/O."""
