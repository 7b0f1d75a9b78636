"""What a turn may use up, together with the sub-agents that it sends out."""

from hermes_agent.domain.messages import Usage
from hermes_agent.domain.spending import Sum


class TurnBudget:
    """Model calls of one turn after the other; `begin` opens a turn.

    A sub-agent's budget has that of its `parent` behind it: each of its calls is one of the
    parent's as well, so that nobody gains calls by handing work on.
    """

    def __init__(self, parent: "TurnBudget | None" = None) -> None:
        self.limit = 0
        self._parent = parent
        self._left = 0
        self._elsewhere = Usage()
        self.spent = Sum()
        self.ever = Sum()

    @property
    def whole(self) -> "TurnBudget":
        """That of the turn which a person began: `spent` is what all its model calls took, those
        of sub-agents too, and `ever` what all turns took."""
        return self if self._parent is None else self._parent.whole

    @property
    def left(self) -> int:
        """How many calls there may still be."""
        return self._left if self._parent is None else min(self._left, self._parent.left)

    @property
    def reached(self) -> int:
        """The limit that stands in the way when nothing is left."""
        behind = self._parent is not None and self._left > 0
        return self._parent.reached if behind and self._parent else self.limit

    def begin(self, calls: int) -> None:
        """A turn of at most `calls` model calls begins."""
        self.limit = self._left = calls
        self._elsewhere = Usage()
        self.spent = Sum()

    def take(self) -> bool:
        """Count one more call; False when there is none left."""
        if self.left < 1:
            return False
        self._count()
        return True

    def spend(self, sum_: Sum) -> None:
        """A model call of this turn, or one on its behalf, took this."""
        whole = self.whole
        whole.spent += sum_
        whole.ever += sum_

    def charge(self, usage: Usage) -> None:
        """A sub-agent used this."""
        self._elsewhere += usage

    def collect(self) -> Usage:
        """What was charged since this was asked last."""
        usage, self._elsewhere = self._elsewhere, Usage()
        return usage

    def _count(self) -> None:
        self._left -= 1
        if self._parent is not None:
            self._parent._count()
