"""Input vectors: encodings of the digits of a letter as numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqarith.errors import InvalidValueError
from seqarith.registry import unknown
from seqarith.tasks.task import Task

Vectors = NDArray[np.floating[Any]]
MOST = 1000
"""Most numbers of an input vector."""


def input_vectors(task: Task, digits: str | Sequence[Sequence[float]]) -> Vectors:
    """Return the input vector of every letter, shape (A, D): the operands' codes side by side.

    ============ ==================================================================
    ``digits``   a digit d of base b
    ============ ==================================================================
    ``"bits"``   its bits, the lowest first: one number in base 2, four in base 10
    ``"onehot"`` b numbers, of which number d is 1 and the others 0
    ``"scalar"`` one number, d
    ``"scaled"`` one number, d / (b - 1)
    ============ ==================================================================

    Args:
        task: The task.
        digits: One of these, or a table with a row for each letter.

    Raises:
        InvalidValueError: The name is unknown; the table has the wrong number of rows, rows of
            different lengths, or numbers that are not finite.

    Example:
        >>> from seqarith.registry import TASKS
        >>> input_vectors(TASKS["add"](base=3), "scaled")[[0, 5, 8]].tolist()
        [[0.0, 0.0], [1.0, 0.5], [1.0, 1.0]]
    """
    if isinstance(digits, str):
        if digits not in ENCODINGS:
            raise InvalidValueError(unknown("encoding of digits", digits, list(ENCODINGS)))
        read = task.digits.T  # (A, operands)
        return ENCODINGS[digits](read, task.base).reshape(len(read), -1).astype(np.float32)
    try:
        table = np.array(digits, np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidValueError(f"a table of input vectors: {error}") from None
    if table.ndim != 2 or len(table) != task.letters or not 0 < table.shape[1] <= MOST:
        expected = f"expected ({task.letters}, 1 to {MOST})"
        raise InvalidValueError(f"a table of input vectors of shape {table.shape}: {expected}")
    if not np.isfinite(table).all():
        raise InvalidValueError("a table of input vectors holds a number that is not finite")
    return table


def _bits(digits: NDArray[Any], base: int) -> NDArray[Any]:
    bits: NDArray[Any] = digits[..., None] >> np.arange((base - 1).bit_length()) & 1
    return bits


ENCODINGS: dict[str, Callable[[NDArray[Any], int], NDArray[Any]]] = {
    "bits": _bits,
    "onehot": lambda digits, base: np.eye(base)[digits],
    "scalar": lambda digits, base: digits[..., None],
    "scaled": lambda digits, base: digits[..., None] / (base - 1),
}
