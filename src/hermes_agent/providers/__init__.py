"""Models: wires, the vendor table, credentials, retry and fallback, the embedded model."""
