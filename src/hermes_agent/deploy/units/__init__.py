"""Units of systemd and launchd for the gateway."""
