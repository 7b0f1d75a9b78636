"""`hermes gateway install` and its kin: the service of a home, and whoever runs without one."""
