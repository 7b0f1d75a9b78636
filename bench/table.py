"""The figures of a run as a Markdown table."""

from collections.abc import Sequence

from bench.figures import Figure, number

_HEAD = ("what", "measured", "floor", "ratio", "budget", "kept")


def render(figures: Sequence[Figure]) -> str:
    """A table with aligned columns; a note stands below it."""
    rows = [_HEAD, *(_row(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = [_line(row, widths) for row in rows]
    lines.insert(1, f"|{'|'.join('-' * (width + 2) for width in widths)}|")
    notes = [f"- {figure.name}: {figure.note}" for figure in figures if figure.note]
    return "\n".join([*lines, "", *notes] if notes else lines)


def _row(figure: Figure) -> tuple[str, ...]:
    floor = ""
    if figure.floor is not None:
        floor = f"{number(figure.floor)} {figure.unit} ({figure.floor_name})"
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    kept = {True: "yes", False: "no", None: ""}[figure.met]
    return (
        figure.name, f"{number(figure.value)} {figure.unit}", floor, ratio, _budget(figure), kept
    )  # fmt: skip


def _budget(figure: Figure) -> str:
    if figure.budget is None:
        return ""
    sign = "≥" if figure.at_least else "≤"
    if figure.budget_is_ratio:
        return f"{sign} {figure.budget:g} × floor"
    return f"{sign} {figure.budget:,g} {figure.unit}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return f"| {' | '.join(padded)} |"
