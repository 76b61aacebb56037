"""The way from integers to letters and back: the lemmas D1 to D4 of docs/certificates.md.

They are tested exhaustively at small widths, in every base, order, delay and sign, against Python's
own division, and on every path of the code: one integer, a list, an array, integers of any size.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from seqarith.digits import count_digits, from_digits, to_digits
from seqarith.machine import MealyMachine
from seqarith.prediction import layout_of
from seqarith.tasks.task import Task

BASES = range(2, 17)
ORDERS = ("least", "most")
MOST = 2**12  # integers of a width that are all tried


def widest(base: int) -> int:
    return max(width for width in range(1, 13) if base**width <= MOST)


def place_value(value: int, base: int, place: int) -> int:
    """Return floor(value / base**place) mod base: the digit of base complement."""
    return value // base**place % base


def range_of(base: int, width: int) -> range:
    """Return every integer that fits so many digits, as a natural or with a sign."""
    return range(-(base**width // 2), base**width)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("base", BASES)
def test_d1_digits_are_quotients(base: int, order: Any) -> None:
    for width in range(1, widest(base) + 1):
        values = range_of(base, width)
        places = range(width) if order == "least" else range(width)[::-1]
        wanted = [[place_value(v, base, k) for v in values] for k in places]
        array = np.array(values)
        assert to_digits(array, width, base=base, order=order).tolist() == wanted
        assert to_digits(list(values), width, base=base, order=order).tolist() == wanted
        for column in range(0, len(values), 7):
            single = to_digits(values[column], width, base=base, order=order).tolist()
            assert single == [row[column] for row in wanted]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("base", BASES)
def test_d1_digits_of_large_integers_are_quotients(base: int, order: Any) -> None:
    width, far = 3, 90  # above and below lie digits that no machine word holds
    values = [v + base**far * v for v in range(base**width)][:500]
    values += [-v for v in values]
    room = far + width + 1
    digits = to_digits(values, room, base=base, order=order)
    places = range(room) if order == "least" else range(room)[::-1]
    assert digits.tolist() == [[place_value(v, base, k) for v in values] for k in places]
    assert from_digits(digits, base=base, order=order, signed=True) == values


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("base", BASES)
def test_d2_results_are_sums_of_digits(base: int, order: Any) -> None:
    for width in range(1, widest(base) + 1):
        every = np.array(range(base**width))
        digits = to_digits(every, width, base=base, order=order)
        places = range(width) if order == "least" else range(width)[::-1]
        sums = [
            sum(int(d) * base**k for d, k in zip(column, places, strict=True))
            for column in digits.T
        ]
        assert sums == every.tolist()
        assert from_digits(digits, base=base, order=order) == sums
        signed = [s - base**width if 2 * s >= base**width else s for s in sums]
        assert from_digits(digits, base=base, order=order, signed=True) == signed
        assert (
            from_digits(digits[:, -1].tolist(), base=base, order=order, signed=True) == signed[-1]
        )


@pytest.mark.parametrize("base", BASES)
def test_the_width_of_an_integer_is_the_least_that_holds_it(base: int) -> None:
    for value in range_of(base, widest(base)):
        natural = count_digits(value, base) if value >= 0 else None
        if natural is not None:
            assert base ** (natural - 1) <= max(value, 1) < base**natural or value == 0
        signed = count_digits(value, base, signed=True)
        assert -(base**signed) <= 2 * value < base**signed
        shorter = base ** (signed - 1)
        assert signed == 1 or not -shorter <= 2 * value < shorter


def copying(base: int, operands: int, order: Any, delay: int) -> Task:
    """Return a task that repeats its first operand; with a delay it has no machine here."""
    letters = base**operands
    table = [[a % base for a in range(letters)]]
    machine = MealyMachine([[0] * letters], table, base) if not delay else None
    return Task(
        name="copy",
        notation=" ".join(["{}"] * operands),
        operands=operands,
        reference=lambda *values: values[0],
        bounds=lambda *ranges: ranges[0],
        machine=machine,
        base=base,
        order=order,
        delay=delay,
    )


@pytest.mark.parametrize("delay", [0, 1, 3])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("operands", [1, 2, 3])
@pytest.mark.parametrize("base", BASES)
def test_d3_letters_hold_the_digits_of_every_operand(
    base: int, operands: int, order: Any, delay: int
) -> None:
    task = copying(base, operands, order, delay)
    rng = np.random.default_rng(base)
    for width in (1, 2):
        room = width + 2  # two digits more than the operands have: sign extension
        steps = room + delay
        values = np.array(range_of(base, width))
        columns = np.array([rng.permutation(values) for _ in range(operands)])
        for given in (columns, columns.tolist()):
            letters = task.encode(given, steps)
            for t, row in enumerate(letters):
                place = t if order == "least" else room - 1 - t
                for i in range(operands):
                    digits = row // base**i % base
                    # The last steps of a word that is read from the top hold no digit.
                    wanted = columns[i] // base**place % base if place >= 0 else 0 * columns[i]
                    assert (digits == wanted).all(), (t, i)
        assert (
            task.digits[:, letters] == [letters // base**i % base for i in range(operands)]
        ).all()


@pytest.mark.parametrize("delay", [0, 1, 3])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("base", BASES)
def test_d4_what_is_emitted_is_read_back(base: int, order: Any, delay: int) -> None:
    task = copying(base, 1, order, delay)
    for width in range(1, widest(base) + 1):
        for signed in (False, True):
            layout = layout_of(task, width, signed)
            assert layout.steps - delay >= width
            assert layout.signed == signed
            low = -(base**width // 2) if signed else 0
            high = (base**width - 1) // 2 if signed else base**width - 1
            values = np.arange(low, high + 1)
            room = layout.steps - delay
            emitted = to_digits(values, room, base=base, order=order)
            symbols = np.concatenate([np.full((delay, len(values)), base - 1), emitted])
            assert task.decode(symbols, layout.signed) == values.tolist()
            if delay == 0 and not (signed and order == "most"):
                letters = task.encode(values[None], layout.steps)
                assert task.decode(task.expected(letters), layout.signed) == values.tolist()
