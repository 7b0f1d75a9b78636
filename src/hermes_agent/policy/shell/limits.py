"""How far reading goes before it gives up and a person is asked."""

DEEPEST = 40
MOST_COMMANDS = 4000
EXCERPT = 160
