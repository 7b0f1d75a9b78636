"""The container mode: the agent in a container of Docker or Podman that lives on.

`handing.py` is what root puts ready before each start, `ensuring.py` makes and keeps the container,
`runner.py` is the service's process on the host, `entrypoint.sh` the first one inside.
"""
