"""Compute a network's results for operands, together with the expected results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import index
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from seqarith.digits import count_digits, to_digits
from seqarith.errors import DigitsError
from seqarith.execution import emit
from seqarith.machine import state_names
from seqarith.network import InferencePass
from seqarith.notebook import facts, grid
from seqarith.tasks.layout import Layout
from seqarith.tasks.task import Range, Task
from seqarith.text import shortened

Columns = Sequence[Sequence[int]] | NDArray[np.int64]
"""For each operand its N values: integers of any size, or int64 in an array (operands, N)."""

Column = Sequence[int] | NDArray[np.integer[Any]]
"""The values of one operand in N tuples."""

DIGITS = "0123456789abcdef"
COLUMNS = 64
"""Most digits of a computation that a notebook shows one by one."""

CHUNK = 4096
"""Words that are run at once: their hidden vectors fit in the cache."""

MAX_INT64_RESULT = 2**61
"""Limit of operands in an array, with room to double them; larger ones are Python integers."""


@final
@dataclass(frozen=True)
class Prediction:
    """A network's result for one tuple of operands, with the expected result.

    Attributes:
        task: The task.
        operands: The operands.
        predicted: The network's result.
        expected: The correct result.
        min_margin: The smallest margin over all emitted digits: how far the nearest logit is
            from deciding otherwise; negative if a digit is wrong.
    """

    task: Task
    operands: tuple[int, ...]
    predicted: int
    expected: int
    min_margin: float

    @property
    def correct(self) -> bool:
        """Whether the result is correct."""
        return self.predicted == self.expected

    def __repr__(self) -> str:
        return f"Prediction({shortened(str(self))}, margin {self.min_margin:.3g})"

    def _repr_html_(self) -> str:
        """Show the computation as on paper; in one line if it has many digits."""
        margin = [("margin", f"{self.min_margin:.3g}")]
        steps = self._steps()
        if steps > COLUMNS:
            return facts(shortened(str(self)), margin)
        rows = self._rows(steps)
        pairs = zip(rows["network"], rows["expected"], strict=True)
        wrong = [i for i, (predicted, expected) in enumerate(pairs) if predicted != expected]
        if not wrong:
            del rows["expected"]
        return facts(str(self), margin, grid(rows.items(), "network", wrong))

    def _steps(self) -> int:
        """Return a number of columns with room for both results."""
        task = self.task
        layout = layout_of(task, *width_of(task, self.operands))
        if task.result == "symbol":
            return layout.steps
        results = (self.predicted, self.expected)
        digits = max(count_digits(v, task.base, signed=layout.signed) for v in results)
        return max(layout.steps, task.delay + digits)

    def _rows(self, steps: int) -> dict[str, list[str]]:
        """Return the rows of a computation of so many columns: states, operands, both results."""
        task, machine = self.task, self.task.machine
        letters = task.encode([[value] for value in self.operands], steps)
        rows: dict[str, list[str]] = {}
        if machine is not None:
            label, names = state_names(machine.names)
            rows[label] = [names[state] for state in machine.trace(letters)[:-1, 0].tolist()]
        for name, digits in zip("abcdefghijklmnop", task.digits[:, letters[:, 0]], strict=False):
            rows[name] = [DIGITS[digit] for digit in digits]
        first = task.first_result_step(steps)
        for name, value in (("network", self.predicted), ("expected", self.expected)):
            rows[name] = [""] * first + self._written(value, steps - first)
        # On paper the most significant digit is at the left.
        return {n: r[::-1] if task.order == "least" else r for n, r in rows.items()}

    def _written(self, value: int, digits: int) -> list[str]:
        """Return a result digit by digit, in the digit order of the task."""
        task = self.task
        if task.result == "symbol":
            return [task.symbols[value]]
        return [DIGITS[d] for d in to_digits(value, digits, base=task.base, order=task.order)]

    def __str__(self) -> str:
        text = self.task.equation(self.operands, self.predicted)
        if self.correct:
            return text
        return f"{text} (wrong: {self.task.result_text(self.expected)} expected)"


@final
@dataclass(frozen=True, eq=False)
class Predictions:
    """A network's results for N tuples of operands: many `Prediction`, column by column.

    Attributes:
        task: The task.
        operands: For each operand its N values.
        predicted: N results.
        expected: N correct results.
        margins: Smallest margins, shape (N,).
    """

    task: Task
    operands: list[list[int]]
    predicted: list[int]
    expected: list[int]
    margins: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.predicted)

    def __iter__(self) -> Iterator[Prediction]:
        """Yield each `Prediction`."""
        rows = zip(*self.operands, strict=True)
        found = zip(rows, self.predicted, self.expected, self.margins.tolist(), strict=True)
        for operands, predicted, expected, margin in found:
            yield Prediction(self.task, operands, predicted, expected, margin)

    def __repr__(self) -> str:
        return f"Predictions({self.task.name}: {len(self):,}, {len(self.wrong()):,} of them wrong)"

    def wrong(self) -> list[int]:
        """Return the indices of the wrong results."""
        if self.predicted == self.expected:  # usual, and much faster than the comparison below
            return []
        pairs = zip(self.predicted, self.expected, strict=True)
        return [i for i, (predicted, expected) in enumerate(pairs) if predicted != expected]


def predict(
    program: InferencePass, task: Task, operands: Sequence[Any] | Columns, digits: int = 1
) -> Predictions:
    """Run a network on N tuples of operands; tuples of the same width are run together.

    The expected results come from the task's reference; for arrays from its machine, if it has one,
    which runs all words at once.

    Args:
        program: The network.
        task: The task it was trained for.
        operands: For each operand its N values, or one integer for all tuples.
        digits: Pad each operand to at least this many digits.

    Raises:
        TaskError: The number of operands is wrong, or one is negative and the task takes only
            naturals.
        DigitsError: They are not integers, or the columns differ in length.
    """
    columns = _together(operands)
    if isinstance(columns, np.ndarray):
        lowest = columns.min(axis=1, initial=0).tolist()
    else:
        lowest = [min(values, default=0) for values in columns]
    task.check_operands(lowest)
    widths, signed = _widths(task, columns)
    widths = np.maximum(widths, digits)
    count = len(widths)
    results = np.empty((2, count), object)
    least = np.empty(count)
    for members in _groups(widths, signed):
        layout = layout_of(task, int(widths[members[0]]), bool(signed[members[0]]))
        chosen = _chosen(columns, members)
        results[0, members], results[1, members], least[members] = _run(
            program, task, chosen, layout
        )
    listed = columns.tolist() if isinstance(columns, np.ndarray) else columns
    return Predictions(task, listed, results[0].tolist(), results[1].tolist(), least)


def is_column(values: object) -> bool:
    """Return whether these are many values of an operand, and not one integer."""
    return isinstance(values, Sequence) or (isinstance(values, np.ndarray) and values.ndim > 0)


def _together(operands: Sequence[Any] | Columns) -> list[list[int]] | NDArray[np.int64]:
    """Return operands as an array of int64 if they are arrays, else as lists of integers.

    The values of an array are below `MAX_INT64_RESULT`, so that they can be doubled.
    """
    columns = [_column(values) for values in operands]
    lengths = [len(values) for values in columns if not isinstance(values, int)]
    if len(set(lengths)) > 1:
        raise DigitsError(
            f"columns of {', '.join(map(str, lengths))} operands: expected the same number in each"
        )
    count = lengths[0] if lengths else 1
    arrays = [np.asarray(v) for v in columns if isinstance(v, int | np.ndarray)]
    if any(isinstance(v, np.ndarray) for v in columns) and len(arrays) == len(columns):
        ends = [(v.min(initial=0), v.max(initial=0)) for v in arrays]
        if all(low > -MAX_INT64_RESULT and high < MAX_INT64_RESULT for low, high in ends):
            return np.stack([np.broadcast_to(v.astype(np.int64), count) for v in arrays])
    lists = (v.tolist() if isinstance(v, np.ndarray) else v for v in columns)
    return [[values] * count if isinstance(values, int) else values for values in lists]


def _column(values: Any) -> int | list[int] | NDArray[np.integer[Any]]:
    """Return an operand's values as an array of integers, as a list, or as the one value.

    Raises:
        DigitsError: They are not integers.
    """
    if isinstance(values, np.ndarray) and values.ndim and values.dtype != object:
        if values.ndim > 1 or values.dtype.kind not in "iu":
            raise DigitsError(
                f"an array of {values.dtype} of shape {values.shape}: expected integers of "
                "shape (N,), one array for each operand"
            )
        return values
    try:
        return [index(value) for value in values] if is_column(values) else index(values)
    except TypeError as error:
        raise DigitsError(f"operands that are not integers: {error}") from None


def layout_of(task: Task, digits: int, signed: bool) -> Layout:
    """Return the layout of words for operands of so many digits.

    The room for the result follows only from the operands' width, never from the result.
    """
    return task.layout([_range(task.base, digits, signed)] * task.operands)


def width_of(task: Task, operands: Sequence[int]) -> tuple[int, bool]:
    """Return how many digits the longest operand needs, and whether one is negative."""
    signed = min(operands) < 0
    return max(count_digits(value, task.base, signed=signed) for value in operands), signed


def _range(base: int, digits: int, signed: bool) -> Range:
    """Return the least and the greatest integer of so many digits."""
    count = base**digits
    return (-(count // 2), (count - 1) // 2) if signed else (0, count - 1)


def _widths(task: Task, operands: Columns) -> tuple[NDArray[np.intp], NDArray[np.bool]]:
    """Return `width_of` every tuple, shapes (N,)."""
    if not isinstance(operands, np.ndarray):
        found = [width_of(task, values) for values in zip(*operands, strict=True)]
        widths, signs = zip(*found, strict=True) if found else ((), ())
        return np.array(widths, np.intp), np.array(signs, np.bool)
    signed = operands.min(axis=0, initial=0) < 0
    # Base complement: v fits T digits when -b**T <= 2 v < b**T.
    doubled = np.where(operands < 0, -2 * operands - 1, 2 * operands)
    reach = np.where(signed, doubled, operands).max(axis=0, initial=1)
    powers = [task.base**k for k in range(63) if task.base**k < 2**63]
    return np.searchsorted(np.array(powers), reach, side="right"), signed


def _groups(widths: NDArray[np.intp], signed: NDArray[np.bool]) -> Iterator[NDArray[np.intp]]:
    """Yield the indices of tuples whose words have the same layout, at most `CHUNK` at once."""
    kinds = 2 * widths + signed
    for kind in np.unique(kinds):
        members = np.flatnonzero(kinds == kind)
        for start in range(0, len(members), CHUNK):
            yield members[start : start + CHUNK]


def _chosen(operands: Columns, members: NDArray[np.intp]) -> Columns:
    if isinstance(operands, np.ndarray):
        return operands[:, members]
    return [[values[i] for i in members.tolist()] for values in operands]


def _run(
    program: InferencePass, task: Task, operands: Columns, layout: Layout
) -> tuple[list[int], list[int], NDArray[np.float64]]:
    """Return the predicted results, the expected results, and the margins."""
    letters = task.encode(operands, layout.steps)
    # If the task has a function, the function decides what is correct, not its machine.
    if task.machine is not None and task.function is None and isinstance(operands, np.ndarray):
        symbols = task.expected(letters)
        expected = task.decode(symbols, layout.signed)
    else:
        expected = [task.reference(*map(int, values)) for values in zip(*operands, strict=True)]
        symbols = task.expected(letters, expected)
    found = emit(program, letters, task.first_result_step(layout.steps), symbols)
    return task.decode(found.symbols, layout.signed), expected, found.margins
