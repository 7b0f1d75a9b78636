"""What a measure gives."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure of a run.

    `floor` is what the least program for the same work cost in the same run, in the same unit;
    `against` is the figure to divide by it where that is not `value` itself (a figure "over" a
    floor has that floor taken off already). `budget` is a ceiling for `value`, or for the ratio
    when `budget_is_ratio`, or something to reach when `at_least`. A tail that depends
    on what else the machine does is not `compared` with earlier runs.
    """

    name: str
    value: float
    unit: str
    floor: float | None = None
    floor_name: str = ""
    against: float | None = None
    budget: float | None = None
    budget_is_ratio: bool = False
    at_least: bool = False
    compared: bool = True
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times the floor; None without one."""
        if not self.floor:
            return None
        return (self.value if self.against is None else self.against) / self.floor

    @property
    def met(self) -> bool | None:
        """Whether the budget is kept; None without one."""
        measured = self.ratio if self.budget_is_ratio else self.value
        if self.budget is None or measured is None:
            return None
        return measured >= self.budget if self.at_least else measured <= self.budget

    @property
    def line(self) -> str:
        """For following a run."""
        verdict = {True: "", False: "  OVER BUDGET", None: ""}[self.met]
        return f"{self.name}: {number(self.value)} {self.unit}{verdict}"


def number(value: float) -> str:
    """Two digits behind the point, fewer for larger figures, none for whole ones."""
    if abs(value) >= 1000 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
