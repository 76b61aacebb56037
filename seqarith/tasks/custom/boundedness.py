"""Detect machines that look like a part of an infinite one, such as an unbounded counter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seqarith.machine import MealyMachine

FEW_STATES = 12
"""Machines with at most so many states are never reported."""
_SHORTEST = 6  # letters of the longest words that are compared, at least
_EXPONENTIAL = 4  # factor of growth in four letters that is called exponential


def count_distinguished(machine: MealyMachine, longest: int) -> list[int]:
    """Return how many states the words of each length from 1 to ``longest`` distinguish.

    Two states are distinguished by words of n letters if both are reached in i letters, and the
    outputs after some n - i letters more differ.
    """
    depths = _depths(machine)
    classes = _classes(machine, longest)
    return [
        max(
            len(np.unique(classes[k][depths <= n - k])) for k in range(min(n, len(classes) - 1) + 1)
        )
        for n in range(1, longest + 1)
    ]


def find_growth(machine: MealyMachine, length: int) -> tuple[list[int], list[int]] | None:
    """Return lengths of words and how many states each distinguishes, if that grows slowly.

    With an unbounded counter, or a function that singles out ever rarer numbers, every additional
    letter distinguishes a few more states, up to the longest words of which all were asked. With a
    finite machine the number has stopped growing by then, or has not begun, or grows exponentially.

    Args:
        machine: A minimised machine.
        length: Length of the longest words that were all asked.
    """
    if machine.states <= FEW_STATES:
        return None
    length = max(length, _SHORTEST)
    lengths = [length // 2, length - 2, length]
    told = count_distinguished(machine, length)
    counts = [told[n - 1] for n in lengths]
    growing = 1 < counts[0] <= counts[1] < counts[2]
    if not growing or told[-1] >= _EXPONENTIAL * told[length - 5]:
        return None
    return lengths, counts


def _depths(machine: MealyMachine) -> NDArray[np.intp]:
    """Return the length of a shortest word into each state."""
    depths = np.full(machine.states, machine.states, np.intp)
    depths[machine.initial], frontier, depth = 0, np.array([machine.initial]), 0
    while len(frontier):
        depth += 1
        reached = np.unique(machine.next_state[frontier])
        frontier = reached[depths[reached] > depth]
        depths[frontier] = depth
    return depths


def _classes(machine: MealyMachine, longest: int) -> list[NDArray[np.intp]]:
    """Return, for k = 0, 1, ..., a class for each state: equal if no k letters distinguish them."""
    classes = [np.zeros(machine.states, np.intp)]
    # Moore, Gedanken-Experiments on Sequential Machines (1956), theorem 6.
    while len(classes) <= longest and classes[-1].max() < machine.states - 1:
        rows = np.hstack([machine.output, classes[-1][machine.next_state]])
        classes.append(np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1))
    return classes
