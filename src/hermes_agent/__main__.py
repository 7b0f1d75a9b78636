"""`python -m hermes_agent` is `hermes`."""

from hermes_agent.cli.entry import main

main()
