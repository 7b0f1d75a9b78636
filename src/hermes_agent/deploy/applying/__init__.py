"""`hermes deploy apply`, `remove` and `status`: deployments on machines without NixOS."""
