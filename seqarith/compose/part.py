"""A model as a function on integers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from seqarith.digits import count_digits
from seqarith.model import Model

_LETTERS = 2**22  # about how many letters are run at once: bounds the memory


@final
class Part:
    """A model as a function on integers, which counts its calls and wrong results.

    Args:
        model: The model.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.calls = self.wrong = 0

    def __call__(self, *operands: int) -> int:
        """Return the network's result: an integer, or the number of a symbol."""
        return self.many([operands])[0]

    def many(self, tuples: Sequence[Sequence[int]]) -> list[int]:
        """Return the network's results for many tuples of operands, which are run at once."""
        results: list[int] = []
        base = self.model.task.base
        digits = max((count_digits(v, base) for values in tuples for v in values), default=1)
        room = max(1, _LETTERS // digits)
        for start in range(0, len(tuples), room):
            for prediction in self.model.predict(*zip(*tuples[start : start + room], strict=True)):
                results.append(prediction.predicted)
                self.wrong += not prediction.correct
        self.calls += len(tuples)
        return results
