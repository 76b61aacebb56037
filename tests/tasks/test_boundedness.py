"""Machines that look like a part of something without end, and large ones that do not."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest

from seqarith.machine import MealyMachine
from seqarith.tasks.custom.boundedness import count_distinguished, find_growth

ASKED = 17
"""Letters of the longest words of which all were asked."""


def machine(states: int, following: Callable[[int, int], int], said: int) -> MealyMachine:
    """Return a machine of two letters that says 1 when it comes into a state, minimised."""
    rows = [[following(state, letter) for letter in (0, 1)] for state in range(states)]
    return MealyMachine(rows, [[int(q == said) for q in row] for row in rows], 2).minimised()


def counter(states: int) -> MealyMachine:
    """Count ones against zeros, up to a bound."""
    return machine(states, lambda q, d: max(0, min(states - 1, q + 2 * d - 1)), 0)


def modulo(divisor: int) -> MealyMachine:
    return machine(divisor, lambda q, d: (2 * q + d) % divisor, 5)


def run_of_ones(length: int) -> MealyMachine:
    return machine(length + 1, lambda q, d: length if q == length else d * (q + 1), length)


def rare(words: int) -> MealyMachine:
    """Recognise the binary words (10)^k, k up to a bound."""
    end = 2 * words
    return machine(end + 1, lambda q, d: q + 1 if q < end - 1 and d == 1 - q % 2 else end, end - 1)


@pytest.mark.parametrize("states", [40, 100, 300])
def test_a_counter_is_suspected(states: int) -> None:
    seen = find_growth(counter(states), ASKED)
    assert seen is not None
    lengths, counts = seen
    assert lengths == [8, 15, 17]
    assert counts == sorted(set(counts))


@pytest.mark.parametrize(
    "found",
    [modulo(97), modulo(499), run_of_ones(20), run_of_ones(100)],
    ids=lambda found: f"{found.states} states",
)
def test_what_is_finite_is_not(found: MealyMachine) -> None:
    assert find_growth(found, ASKED) is None


def test_states_that_are_told_apart_are_those_with_other_outputs() -> None:
    """Against the definition: prefixes and endings of every length, one by one."""
    for found in (counter(5), modulo(6), run_of_ones(3), rare(3)):
        for length, count in enumerate(count_distinguished(found, 7), start=1):
            most = 0
            for first in range(length + 1):
                prefixes = [w for n in range(first + 1) for w in product((0, 1), repeat=n)]
                endings = list(product((0, 1), repeat=length - first))
                rows = {
                    tuple(tuple(found.run(p + e)[len(p) :].tolist()) for e in endings)
                    for p in prefixes
                }
                most = max(most, len(rows))
            assert count == most
