"""`python -m bench`: measure, print the table, keep and compare the ratios."""

import argparse
import sys
from pathlib import Path

from bench.figures import Figure
from bench.measures import TABLE, load
from bench.records import BASELINE, RESULTS, machine, read_ratios, regressions, write, write_ratios
from bench.stage import CannotMeasure, Stage
from bench.table import render


def main() -> int:
    """Run the measures. Returns 1 when `--compare` finds a regression, 2 when one could not run."""
    parser = argparse.ArgumentParser(
        prog="bench/run",
        description="Measure what Hermes Agent costs, against floors in the same run.",
        epilog=f"Measures: {', '.join(TABLE)}",
    )
    parser.add_argument(
        "--only", action="append", choices=list(TABLE), metavar="NAME", help="this measure only"
    )
    parser.add_argument("--runs", type=int, default=7, metavar="N", help="medians of N (default 7)")
    parser.add_argument("--json", type=Path, metavar="FILE", default=RESULTS / "latest.json")
    parser.add_argument("--record", action="store_true", help="write the ratios to the baseline")
    parser.add_argument(
        "--compare", action="store_true", help="fail when a ratio is 25 %% worse than the baseline"
    )
    options = parser.parse_args()
    before = machine()
    figures: list[Figure] = []
    failed: list[str] = []
    for name in options.only or TABLE:
        try:
            with Stage(runs=max(1, options.runs)) as stage:
                for figure in load(name).measure(stage):
                    figures.append(figure)
                    print(f"  {figure.line}", file=sys.stderr, flush=True)
        except CannotMeasure as error:
            failed.append(name)
            print(f"{name}: {error}", file=sys.stderr)
    print(render(figures))
    write(options.json, figures, before=before, after=machine())
    if options.record:
        write_ratios(BASELINE, figures)
    worse = regressions(figures, read_ratios(BASELINE)) if options.compare else []
    for line in worse:
        print(f"regression: {line}", file=sys.stderr)
    if failed:
        print(f"not measured: {', '.join(failed)}", file=sys.stderr)
        return 2
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
