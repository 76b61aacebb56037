"""A model as a function on integers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from seqarith.digits import count_digits
from seqarith.model import Model

_LETTERS = 2**22  # that are run side by side, about: what bounds the memory


@final
class Part:
    """A model as a function on integers, which counts how often it was asked.

    Args:
        model: The model.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.calls = self.wrong = 0

    def __call__(self, *operands: int) -> int:
        """Return what the network says: an integer, or the number of a symbol."""
        return self.many([operands])[0]

    def many(self, tuples: Sequence[Sequence[int]]) -> list[int]:
        """Return what the network says for many tuples of operands, run side by side."""
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
