"""Everything that puts the agent onto a machine: unit files, and what installs them."""
