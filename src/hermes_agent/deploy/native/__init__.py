"""Native mode: the agent as a confined service of systemd, without a container."""
