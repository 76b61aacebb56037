"""Advice for a function whose digits depend on later ones: other encodings that were tried."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqarith.digits import Order, count_digits
from seqarith.errors import TaskError
from seqarith.tasks.custom.encoded import EncodedFunction

Integers = NDArray[np.integer[Any]]
_TUPLES = 2**14  # of operands that are tried
_DELAYS = 4  # longest delay that is tried
_PLACES = 4  # digits that must not depend on later ones before a delay is suggested
_FEW = 16  # results that may be given names


def advise(function: EncodedFunction, operands: int, base: int, order: Order) -> str:
    """Return a sentence that suggests other encodings; each was tried on short words."""
    width = 1
    while (base**operands) ** (width + 1) <= _TUPLES:
        width += 1
    values = np.arange(base ** (width * operands))
    columns = [values // base ** (width * place) % base**width for place in range(operands)]
    try:
        results = function.many([column.tolist() for column in columns])
    except TaskError:
        return "If there are few results, give symbols"
    if order == "least" and _in_time(columns, results, base, width, 0):
        return (
            f"For operands of up to {width} digits every digit comes in time, so the function "
            "behaves differently at larger operands, such as those above"
        )
    longest = min(_DELAYS, width - _PLACES)
    delays = [d for d in range(1, longest + 1) if _in_time(columns, results, base, width, d)]
    ways = []
    if order == "least" and _most_first(columns, results, base, width):
        ways.append("most significant digit first (order='most')")
    if order == "most" and _in_time(columns, results, base, width, 0):
        ways.append("least significant digit first")
    if delays:
        ways.append(f"least significant digit first with delay={delays[0]}")
    if ways:
        return f"Read it {' or '.join(ways)}"
    if len(set(results)) <= _FEW:
        return "No order of digits helps, but there are few results: give symbols"
    return "Neither the other order nor a short delay helps"


def _in_time(
    columns: list[Integers], results: list[int], base: int, width: int, delay: int
) -> bool:
    """Return whether digit k of the results depends only on digits 0 to k + delay."""
    for place in range(width - delay):
        count = base ** (place + delay + 1)
        low = sum(column % count * count**i for i, column in enumerate(columns))
        digits = np.array([result // base**place % base for result in results])
        if not _depends(np.asarray(low), digits):
            return False
    return True


def _most_first(columns: list[Integers], results: list[int], base: int, width: int) -> bool:
    longest = np.max(columns, axis=0).tolist()
    for result, value in zip(results, longest, strict=True):
        if result < 0 or result >= base ** count_digits(value, base):
            return False
    for place in range(width):
        count = base**place
        high = sum(column // count * base ** (width * i) for i, column in enumerate(columns))
        if not _depends(np.asarray(high), np.array([r // count % base for r in results])):
            return False
    return True


def _depends(keys: Integers, digits: Integers) -> bool:
    """Return whether equal keys always have equal digits."""
    order = np.argsort(keys, kind="stable")
    keys, digits = keys[order], digits[order]
    return not ((keys[1:] == keys[:-1]) & (digits[1:] != digits[:-1])).any()
