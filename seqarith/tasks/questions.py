"""Which words a function is asked before a machine is believed to be that function.

Short ones, all of them, in the order of their length; runs x^i y^j z^k, in which a function that
counts gives itself away; operands beside powers of the base, where carries are long; and random
words of lengths that grow geometrically.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, product

import numpy as np

from seqarith.digits import Order, to_digits
from seqarith.tasks.task import Letters

SHORT = 2**17
"""Short words that are asked: all up to a length, and some of the next."""
RUNS = 2**15
"""Words x^i y^j z^k that are asked."""
LONGEST_RUN = 64
BESIDE_POWERS = 2**13
"""Tuples of operands beside powers of the base."""
LENGTHS = (8, 12, 18, 27, 40, 60, 90, 135, 200, 300)
"""Lengths of random words."""
RANDOM = 1024
"""Random words of each length."""
BLOCK = 2**13
"""Words of a block: the clock is looked at between two of them."""
BEYOND = 2**14
"""Words that go through a state of the machine, some letters, and an ending that tells apart."""
_POWERS = (*range(1, 21), 24, 31, 32, 33, 40, 48, 63, 64, 65)


def planned() -> int:
    """Return how many words are asked where time and limit allow, about."""
    return SHORT + RUNS + BESIDE_POWERS + RANDOM * len(LENGTHS) + BEYOND


def questions(operands: int, base: int, order: Order) -> Iterator[Letters]:
    """Yield words, padded to one length a block, shape (T, N), N at most `BLOCK`."""
    letters = base**operands
    yield from _short(letters, order)
    rng = np.random.default_rng(0)
    # Runs of equal lengths first: what compares two counts is seen there.
    for equal in (True, False):
        for _ in range(RUNS // 2 // BLOCK):
            yield _runs(rng, letters, equal)
    yield _beside_powers(rng, operands, base, order)
    for length in LENGTHS:
        yield _random(rng, letters, length, RANDOM)


def more_questions(letters: int) -> Iterator[Letters]:
    """Yield runs and random words without end, for whoever wants more asked."""
    for seed in count(1):
        rng = np.random.default_rng(seed)
        yield _runs(rng, letters, seed % 2 == 0)
        for length in LENGTHS:
            yield _random(rng, letters, length, RANDOM)


def _short(letters: int, order: Order) -> Iterator[Letters]:
    """Yield every word once that does not begin (or end) with a zero that says nothing."""
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
    # One letter in three is a zero: it ends what the letters before it began.
    drawn[rng.integers(3, size=BLOCK), np.arange(BLOCK)] *= rng.integers(2, size=BLOCK)
    lengths = rng.integers(1, LONGEST_RUN + 1, size=(3, BLOCK))
    if equal:
        lengths[1] = np.clip(lengths[0] + rng.integers(-1, 2, size=BLOCK), 1, LONGEST_RUN)
        lengths[2] = np.where(rng.integers(2, size=BLOCK), lengths[1], 0)
    ends = lengths.cumsum(axis=0)
    steps = np.arange(int(ends[2].max()))[:, None]
    words = np.where(steps < ends[0], drawn[0], np.where(steps < ends[1], drawn[1], drawn[2]))
    return np.where(steps < ends[2], words, 0)


def _beside_powers(rng: np.random.Generator, operands: int, base: int, order: Order) -> Letters:
    values = beside_powers(base)
    if len(values) ** operands <= BESIDE_POWERS:
        chosen = np.array(list(product(range(len(values)), repeat=operands))).T
    else:
        chosen = rng.integers(len(values), size=(operands, BESIDE_POWERS))
    words = np.zeros((max(_POWERS) + 2, chosen.shape[1]), np.intp)
    for place, numbers in enumerate(chosen):
        column = [values[number] for number in numbers.tolist()]
        words += base**place * to_digits(column, len(words), base=base, order=order).astype(np.intp)
    return words


def beside_powers(base: int) -> list[int]:
    """Return naturals that are a power of the base, its half or its double, or beside one."""
    powers = {part for k in _POWERS for part in (base**k, base**k // 2, 2 * base**k)}
    return sorted({0} | {power + beside for power in powers for beside in (-1, 0, 1)})


def _random(rng: np.random.Generator, letters: int, length: int, size: int) -> Letters:
    drawn: Letters = rng.integers(letters, size=(length, size))
    # Some words stay with one letter for long, through which much may have to be remembered.
    stays = rng.random(drawn.shape) < np.linspace(-1, 0.98, size)
    for step in range(1, length):
        drawn[step] = np.where(stays[step], drawn[step - 1], drawn[step])
    return drawn
