"""Carry chains: for how many steps a word makes the machine remember something."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from seqarith.machine import MealyMachine
from seqarith.tasks.task import Letters, Task


def chain_name(task: Task) -> str:
    """Return a name for the chains of a task.

    Example:
        >>> from seqarith.registry import TASKS
        >>> chain_name(TASKS["add"]()), chain_name(TASKS["parity"]())
        ('carry chain', "run of steps in another state than 'even'")
    """
    if task.machine is None:
        return "chain"
    start = task.machine.names[task.machine.initial]
    for word in ("carry", "borrow"):
        # In increment the initial state is carry 1, so a chain consists of steps without a carry.
        if start == f"{word} 0" and all(n.startswith(f"{word} ") for n in task.machine.names):
            return f"{word} chain"
    return f"run of steps in another state than {start!r}"


def longest_chains(task: Task, letters: Letters) -> NDArray[np.intp]:
    """Return the length of the longest carry chain of words (T, N), shape (N,).

    A chain is a run of steps outside the initial state. It starts again at a letter that leads
    every state to the same state (two ones, in addition), since then nothing older is remembered.
    For addition its length is the number of digits that a carry travels: 255 + 1 has a chain of 8.
    Without a machine: 0.
    """
    longest = np.zeros(letters.shape[1], np.intp)
    if task.machine is None:
        return longest
    states = task.machine.trace(letters)[1:]
    resets = _resets(task.machine)[letters]
    chain = np.zeros_like(longest)
    for state, reset in zip(states, resets, strict=True):
        chain = np.where(state == task.machine.initial, 0, np.where(reset, 1, chain + 1))
        np.maximum(longest, chain, out=longest)
    return longest


def count_chains(task: Task, bits: int) -> dict[int, int]:
    """Return, for every length, how many operand tuples of a width have it as their longest chain.

    Words are counted by state, length of the current chain and longest chain, not run one by one.
    """
    machine = task.machine
    if machine is None:
        return {0: task.letters**bits}
    layout = task.natural_layout(bits)
    places, resets = task.digit_steps(layout), _resets(machine)
    counts = Counter({(machine.initial, 0, 0): 1})
    for step in range(layout.steps):
        letters = range(task.letters if places.start <= step < places.stop else 1)
        after: Counter[tuple[int, int, int]] = Counter()
        for (state, chain, longest), words in counts.items():
            for letter in letters:
                following = int(machine.next_state[state, letter])
                away = following != machine.initial
                length = away * (1 if resets[letter] else chain + 1)
                after[following, length, max(longest, length)] += words
        counts = after
    totals: Counter[int] = Counter()
    for (_, _, longest), words in counts.items():
        totals[longest] += words
    return dict(sorted(totals.items()))


def _resets(machine: MealyMachine) -> NDArray[np.bool]:
    """Return which letters lead every state to the same state, shape (A,)."""
    table = machine.next_state
    after_all: NDArray[np.bool] = (table == table[:1]).all(axis=0)
    return after_all
