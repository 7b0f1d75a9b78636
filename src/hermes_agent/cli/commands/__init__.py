"""One module a command; `hermes_agent.cli.table` names them."""
