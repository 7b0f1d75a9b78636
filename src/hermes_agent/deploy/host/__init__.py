"""The host command: plain `hermes` of a registered home runs as its service's user, or not at all.

Two sides. The caller's (`crossing`) finds out which deployment is meant and asks sudo for one
root-owned program with nothing but allow-listed values and the words of the command line. Root's
(`entering`) looks the deployment up in the registry, builds an environment from nothing, becomes
the service's user (or goes into its container) and executes `hermes` there.
"""
