"""What a network says to operands, beside what is right."""

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
from seqarith.network import Program
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
"""Most digits of a computation that a notebook writes down one by one."""

CHUNK = 4096
"""Words that are run side by side: their hidden vectors fit the cache."""

LARGEST = 2**61
"""Operands in an array are smaller: room to double them. Larger ones are Python integers."""


@final
@dataclass(frozen=True)
class Prediction:
    """What a network says, beside what is right.

    Attributes:
        task: The task.
        operands: What it was given.
        predicted: Its result.
        expected: The right result.
        min_margin: The smallest margin over all emitted digits: how far the nearest logit is
            from deciding otherwise; negative where a digit is wrong.
    """

    task: Task
    operands: tuple[int, ...]
    predicted: int
    expected: int
    min_margin: float

    @property
    def correct(self) -> bool:
        """Whether the result is right."""
        return self.predicted == self.expected

    def __repr__(self) -> str:
        return f"Prediction({shortened(str(self))}, margin {self.min_margin:.3g})"

    def _repr_html_(self) -> str:
        """Write the computation down as on paper; as one line where it has many digits."""
        margin = [("margin", f"{self.min_margin:.3g}")]
        steps = self._steps()
        if steps > COLUMNS:
            return facts(shortened(str(self)), margin)
        rows = self._rows(steps)
        pairs = zip(rows["network"], rows["expected"], strict=True)
        wrong = [column for column, (said, right) in enumerate(pairs) if said != right]
        if not wrong:
            del rows["expected"]
        return facts(str(self), margin, grid(rows.items(), "network", wrong))

    def _steps(self) -> int:
        """Return how many columns have room for both results."""
        task = self.task
        layout = layout_of(task, *width_of(task, self.operands))
        if task.result == "symbol":
            return layout.steps
        results = (self.predicted, self.expected)
        digits = max(count_digits(v, task.base, signed=layout.signed) for v in results)
        return max(layout.steps, task.delay + digits)

    def _rows(self, steps: int) -> dict[str, list[str]]:
        """Return what stands in so many columns: memory, operands, both results."""
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
        """Return a result digit by digit, in the order of reading."""
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
    """What a network says to N tuples of operands: many `Prediction`, column by column.

    Attributes:
        task: The task.
        operands: For each operand its N values.
        predicted: N results.
        expected: N right results.
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
        """Yield them one by one."""
        rows = zip(*self.operands, strict=True)
        found = zip(rows, self.predicted, self.expected, self.margins.tolist(), strict=True)
        for operands, predicted, expected, margin in found:
            yield Prediction(self.task, operands, predicted, expected, margin)

    def __repr__(self) -> str:
        return f"Predictions({self.task.name}: {len(self):,}, {len(self.wrong()):,} of them wrong)"

    def wrong(self) -> list[int]:
        """Return the numbers of those that are not right."""
        if self.predicted == self.expected:
            return []
        pairs = zip(self.predicted, self.expected, strict=True)
        return [i for i, (predicted, expected) in enumerate(pairs) if predicted != expected]


def predict(
    program: Program, task: Task, operands: Sequence[Any] | Columns, digits: int = 1
) -> Predictions:
    """Run a network on N tuples of operands; those of one width together.

    The right results come from the task's reference; for arrays from its machine where it has one,
    which takes all words at once.

    Args:
        program: The network.
        task: What it was trained for.
        operands: For each operand its N values, or one integer for all tuples.
        digits: Pad each operand to at least so many digits.

    Raises:
        TaskError: There are more or fewer operands than the task has, or a negative one where
            it takes naturals only.
        DigitsError: They are no integers, or no columns of one length.
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
    for members in _alike(widths, signed):
        layout = layout_of(task, int(widths[members[0]]), bool(signed[members[0]]))
        chosen = _chosen(columns, members)
        results[0, members], results[1, members], least[members] = _run(
            program, task, chosen, layout
        )
    listed = columns.tolist() if isinstance(columns, np.ndarray) else columns
    return Predictions(task, listed, results[0].tolist(), results[1].tolist(), least)


def is_column(values: object) -> bool:
    """Return whether these are the values of an operand in many tuples, and not one integer."""
    return isinstance(values, Sequence) or (isinstance(values, np.ndarray) and values.ndim > 0)


def _together(operands: Sequence[Any] | Columns) -> list[list[int]] | NDArray[np.int64]:
    """Return operands as an array of int64 if they are arrays, else as lists of integers.

    Values of an array are smaller than `LARGEST`, so that they can be doubled.
    """
    columns = [_column(values) for values in operands]
    lengths = [len(values) for values in columns if not isinstance(values, int)]
    if len(set(lengths)) > 1:
        raise DigitsError(
            f"columns of {', '.join(map(str, lengths))} operands: expected as many in each"
        )
    count = lengths[0] if lengths else 1
    arrays = [np.asarray(v) for v in columns if isinstance(v, int | np.ndarray)]
    if any(isinstance(v, np.ndarray) for v in columns) and len(arrays) == len(columns):
        ends = [(v.min(initial=0), v.max(initial=0)) for v in arrays]
        if all(low > -LARGEST and high < LARGEST for low, high in ends):
            return np.stack([np.broadcast_to(v.astype(np.int64), count) for v in arrays])
    lists = (v.tolist() if isinstance(v, np.ndarray) else v for v in columns)
    return [[values] * count if isinstance(values, int) else values for values in lists]


def _column(values: Any) -> int | list[int] | NDArray[np.integer[Any]]:
    """Return an operand's values as an array of integers, as a list, or as the one value.

    Raises:
        DigitsError: They are no integers.
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
    """Return how words of operands of so many digits are laid out.

    The room for the result follows from the operands' width alone, never from the result.
    """
    return task.layout([_range(task.base, digits, signed)] * task.operands)


def width_of(task: Task, operands: Sequence[int]) -> tuple[int, bool]:
    """Return how many digits operands need, all alike, and whether one has a sign."""
    signed = min(operands) < 0
    return max(count_digits(value, task.base, signed=signed) for value in operands), signed


def _range(base: int, digits: int, signed: bool) -> Range:
    """Return the least and greatest integer of so many digits."""
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


def _alike(widths: NDArray[np.intp], signed: NDArray[np.bool]) -> Iterator[NDArray[np.intp]]:
    """Yield the numbers of tuples whose words are laid out alike, `CHUNK` of them at most."""
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
    program: Program, task: Task, operands: Columns, layout: Layout
) -> tuple[list[int], list[int], NDArray[np.float64]]:
    """Return what is predicted, what is right, and the margins."""
    letters = task.encode(operands, layout.steps)
    # Where a function is at hand it says what is expected, and not the machine found in it.
    if task.machine is not None and task.function is None and isinstance(operands, np.ndarray):
        symbols = task.expected(letters)
        expected = task.decode(symbols, layout.signed)
    else:
        expected = [task.reference(*map(int, values)) for values in zip(*operands, strict=True)]
        symbols = task.expected(letters, expected)
    found = emit(program, letters, task.first_result_step(layout.steps), symbols)
    return task.decode(found.symbols, layout.signed), expected, found.margins
