"""The words on which a machine is compared with the function that it was learned from.

They are operands next to the numbers in the function's code; all short words by length; runs
x^i y^j z^k, which expose a function that counts; operands next to powers of the base, where carries
are long; operands of unequal lengths; and random words of lengths that grow geometrically.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count, product

import numpy as np

from seqarith.digits import Order, count_digits, to_digits
from seqarith.tasks.task import Letters

SHORT = 2**17
"""Short words: all up to a length, and some of the next length."""
RUNS = 2**15
"""Words x^i y^j z^k."""
LONGEST_RUN = 64
BESIDE_POWERS = 2**13
"""Tuples of operands next to powers of the base."""
BESIDE_CONSTANTS = 2**10
"""Tuples of operands next to numbers in the function's code, at most."""
UNEQUAL = 2**12
"""Tuples of operands whose lengths are drawn independently."""
LENGTHS = (8, 12, 18, 27, 40, 60, 90, 135, 200, 300)
"""Lengths of random words."""
RANDOM = 1024
"""Random words of each length."""
BLOCK = 2**11
"""Words of a block; the clock is read between blocks."""
BEYOND = 2**14
"""Words through a state of the machine, some letters, and a distinguishing suffix."""
_POWERS = (*range(1, 21), 24, 31, 32, 33, 40, 48, 63, 64, 65)


def count_planned() -> int:
    """Return about how many words are asked if time and limit allow."""
    return SHORT + RUNS + BESIDE_POWERS + UNEQUAL + RANDOM * len(LENGTHS) + BEYOND


def exhausted_length(letters: int, asked: int) -> int:
    """Return the length up to which all words are among the first ``asked``."""
    length = 0
    while letters ** (length + 1) <= min(SHORT, asked):
        length += 1
    return length


def equivalence_queries(
    operands: int, base: int, order: Order, constants: Sequence[int] = ()
) -> Iterator[Letters]:
    """Yield words, padded to one length a block, shape (T, N), N at most `BLOCK`.

    Args:
        operands: Number of operands.
        base: 2 to 16.
        order: Which digit is read first.
        constants: Naturals that may be special cases of the function.
    """
    letters = base**operands
    if constants:
        beside = sorted({0, *(c + step for c in constants for step in (-1, 0, 1) if c + step > 0)})
        yield _tuples(beside, operands, base, order, BESIDE_CONSTANTS)
    yield from _short(letters, order)
    rng = np.random.default_rng(0)
    # Runs of equal lengths first: they expose a function that compares two counts.
    for equal in (True, False):
        for _ in range(RUNS // 2 // BLOCK):
            yield _runs(rng, letters, equal)
    powers = _tuples(beside_powers(base), operands, base, order, BESIDE_POWERS)
    yield from _blocks(powers)
    if operands > 1:
        yield from _blocks(_unequal(rng, operands, base, order))
    for length in LENGTHS:
        yield _random(rng, letters, length, RANDOM)


def further_queries(letters: int) -> Iterator[Letters]:
    """Yield runs and random words without end."""
    for seed in count(1):
        rng = np.random.default_rng(seed)
        yield _runs(rng, letters, seed % 2 == 0)
        for length in LENGTHS:
            yield _random(rng, letters, length, RANDOM)


def _short(letters: int, order: Order) -> Iterator[Letters]:
    """Yield every short word once, without redundant zeros at its most significant end."""
    start, length = 0, 1
    while start < SHORT:
        end = min(letters**length, SHORT)
        for low in range(start, end, BLOCK):
            codes = np.arange(low, min(low + BLOCK, end))
            rows = [codes // letters**place % letters for place in range(length)]
            yield np.array(rows if order == "least" else rows[::-1], np.intp)
        start, length = end, length + 1


def _runs(rng: np.random.Generator, letters: int, equal: bool) -> Letters:
    drawn = rng.integers(letters, size=(3, BLOCK))
    # Some letters become zero, which ends what the letters before it began.
    drawn[rng.integers(3, size=BLOCK), np.arange(BLOCK)] *= rng.integers(2, size=BLOCK)
    lengths = rng.integers(1, LONGEST_RUN + 1, size=(3, BLOCK))
    if equal:
        lengths[1] = np.clip(lengths[0] + rng.integers(-1, 2, size=BLOCK), 1, LONGEST_RUN)
        lengths[2] = np.where(rng.integers(2, size=BLOCK), lengths[1], 0)
    ends = lengths.cumsum(axis=0)
    steps = np.arange(int(ends[2].max()))[:, None]
    words = np.where(steps < ends[0], drawn[0], np.where(steps < ends[1], drawn[1], drawn[2]))
    return np.where(steps < ends[2], words, 0)


def _blocks(words: Letters) -> Iterator[Letters]:
    for low in range(0, words.shape[1], BLOCK):
        yield words[:, low : low + BLOCK]


def _tuples(values: list[int], operands: int, base: int, order: Order, most: int) -> Letters:
    """Return words of all tuples of some values, or of ``most`` random tuples if that is fewer."""
    if len(values) ** operands <= most:
        chosen = np.array(list(product(range(len(values)), repeat=operands))).T
    else:
        chosen = np.random.default_rng(0).integers(len(values), size=(operands, most))
    steps = count_digits(max(values), base)
    words = np.zeros((steps, chosen.shape[1]), np.intp)
    for place, numbers in enumerate(chosen):
        column = [values[number] for number in numbers.tolist()]
        words += base**place * to_digits(column, steps, base=base, order=order).astype(np.intp)
    return words


def _unequal(rng: np.random.Generator, operands: int, base: int, order: Order) -> Letters:
    """Return words of operands whose lengths are independent and uniform on a log scale."""
    lengths = (LONGEST_RUN ** rng.random((operands, UNEQUAL))).astype(np.intp)
    digits = rng.integers(base, size=(LONGEST_RUN, operands, UNEQUAL))
    digits[np.arange(LONGEST_RUN)[:, None, None] >= lengths] = 0
    words: Letters = (digits * base ** np.arange(operands)[:, None]).sum(axis=1)
    return words if order == "least" else words[::-1]


def beside_powers(base: int) -> list[int]:
    """Return naturals that are a power of the base, half or double of one, or next to those."""
    powers = {part for k in _POWERS for part in (base**k, base**k // 2, 2 * base**k)}
    return sorted({0} | {power + beside for power in powers for beside in (-1, 0, 1)})


def _random(rng: np.random.Generator, letters: int, length: int, size: int) -> Letters:
    drawn: Letters = rng.integers(letters, size=(length, size))
    # Some words repeat a letter for long, and much may have to be remembered meanwhile.
    stays = rng.random(drawn.shape) < np.linspace(-1, 0.98, size)
    for step in range(1, length):
        drawn[step] = np.where(stays[step], drawn[step - 1], drawn[step])
    return drawn
