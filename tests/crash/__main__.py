"""The long form: hundreds of rounds, with and without keys and streaming."""

import argparse
import itertools
import sys
import tempfile
from pathlib import Path

from tests.crash.harness import Harness

MODES = tuple(itertools.product((True, False), (False, True)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--narrow", action="store_true", help="shorten conversations on the way")
    arguments = parser.parse_args()
    faults = 0
    for number, (honours_keys, streaming) in enumerate(MODES):
        with tempfile.TemporaryDirectory() as folder:
            harness = Harness(
                Path(folder),
                seed=arguments.seed * len(MODES) + number,
                honours_keys=honours_keys,
                streaming=streaming,
                narrow=arguments.narrow,
            )
            outcome = harness.run(arguments.rounds // len(MODES))
        keys = "honours keys" if honours_keys else "knows no keys"
        how = "answers grow" if streaming else "whole answers"
        print(f"\nA platform that {keys}, {how}, seed {arguments.seed}:\n{outcome.table()}")
        faults += len(outcome.faults)
    print("\nNo fault." if not faults else f"\n{faults} fault(s).")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
