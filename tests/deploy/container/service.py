"""What the unit's two command lines do, with root's places elsewhere.

Arguments: prepare or run, the specification's file, the folder with root's places.
"""

import sys
from pathlib import Path

from hermes_agent.deploy.container import runner
from hermes_agent.deploy.container.handing import hand_over
from hermes_agent.deploy.places import Places, Roots
from hermes_agent.deploy.reading import read
from hermes_agent.domain.errors import HermesError

# What the runner looks for is there the sooner; it does the same when it sees it.
runner.LOOK = 0.2

ACTION, FILE, FOLDER = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])

try:
    spec = read(FILE)
    places = Places.of(spec, Roots(FOLDER / "etc", FOLDER / "records", FOLDER / "run"))
    if ACTION == "prepare":
        for warning in hand_over(spec, places).warnings:
            sys.stderr.write(f"hermes: {warning}\n")
        sys.exit(0)
    sys.exit(runner.run(spec, places))
except HermesError as error:
    sys.stderr.write(f"hermes: {error.message}\n  {error.hint or ''}\n")
    sys.exit(error.exit_code)
