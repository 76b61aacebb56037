"""Whether a machine that was found looks like a part of something that counts without end."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seqarith.machine import MealyMachine

FEW_STATES = 12
"""Machines of no more states are never suspected."""
_SHORTEST = 6  # letters at which growth is looked at, at least
_EXPONENTIAL = 4  # times as many states after four letters more


def is_told_apart(machine: MealyMachine, longest: int) -> list[int]:
    """Return how many states words of 1 to ``longest`` letters tell apart.

    Two states are told apart by words of n letters where both are reached in i letters, and the
    outputs under some n - i letters after that differ.
    """
    depths = _depths(machine)
    classes = _classes(machine, longest)
    return [
        max(
            len(np.unique(classes[k][depths <= n - k])) for k in range(min(n, len(classes) - 1) + 1)
        )
        for n in range(1, longest + 1)
    ]


def unbounded(machine: MealyMachine, length: int) -> tuple[list[int], list[int]] | None:
    """Return lengths of words and how many states each tells apart, where that looks endless.

    What counts without end, or singles out ever rarer numbers, tells a few states more apart with
    every letter more, up to the longest words of which all were asked. For a finite machine the
    count has stopped growing by then, or has not begun to grow, or grows exponentially.

    Args:
        machine: A minimised machine.
        length: Letters of the longest words of which all were asked.
    """
    if machine.states <= FEW_STATES:
        return None
    length = max(length, _SHORTEST)
    lengths = [length // 2, length - 2, length]
    told = is_told_apart(machine, length)
    counts = [told[n - 1] for n in lengths]
    growing = 1 < counts[0] <= counts[1] < counts[2]
    if not growing or told[-1] >= _EXPONENTIAL * told[length - 5]:
        return None
    return lengths, counts


def _depths(machine: MealyMachine) -> NDArray[np.intp]:
    """Return the fewest letters that lead into each state."""
    depths = np.full(machine.states, machine.states, np.intp)
    depths[machine.initial], frontier, depth = 0, np.array([machine.initial]), 0
    while len(frontier):
        depth += 1
        reached = np.unique(machine.next_state[frontier])
        frontier = reached[depths[reached] > depth]
        depths[frontier] = depth
    return depths


def _classes(machine: MealyMachine, longest: int) -> list[NDArray[np.intp]]:
    """Return, for k = 0, 1, ..., a number for each state: equal where k letters tell none apart."""
    classes = [np.zeros(machine.states, np.intp)]
    # Moore, Gedanken-Experiments on Sequential Machines (1956), theorem 6.
    while len(classes) <= longest and classes[-1].max() < machine.states - 1:
        rows = np.hstack([machine.output, classes[-1][machine.next_state]])
        classes.append(np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1))
    return classes
