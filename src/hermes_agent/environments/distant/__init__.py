"""Places with processes and files of their own: containers, other machines.

Nothing is shared with them but three streams. A keeper (`porter.sh`) holds the place open and ends
what is to be ended; each command is a client of its own (`docker exec`, `podman exec`, `ssh`)
around `command.sh`; files go through `files.sh`. All three need a POSIX shell there, and what
coreutils or busybox bring.
"""
