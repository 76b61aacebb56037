"""Hidden vectors that runs really reach, with the machine state and the letters that led there."""

from typing import NamedTuple

import numpy as np

from seqarith.certification.kernel.program import FloatArray, IntArray
from seqarith.certification.prove.dynamics import Dynamics

KEEP = (
    0.0,
    0.3,
    0.7,
    0.9,
    0.97,
)  # chance that a word repeats itself, from wholly random to long runs
PERIODS = (1, 1, 1, 2, 3)  # what it repeats: the last letter, mostly
SETTLED = 12  # first steps of a word that are dropped: the start is proved apart from the regions


class Samples(NamedTuple):
    """Hold S reached vectors: hidden (S, H), states (S,), history (S, L) moves, the latest first.

    A move is a state and the letter read in it, as one number: ``state * A + letter``.
    """

    hidden: FloatArray
    states: IntArray
    history: IntArray


def words(rng: np.random.Generator, letters: int, steps: int, count: int) -> IntArray:
    """Draw words (steps, count) that repeat themselves more and more from column to column."""
    drawn = rng.integers(letters, size=(steps, count))
    column = np.arange(count)
    keep = np.array(KEEP)[column % len(KEEP)]
    period = np.array(PERIODS)[column // len(KEEP) % len(PERIODS)]
    repeats = rng.random((steps, count)) < keep
    for t in range(max(PERIODS), steps):
        drawn[t] = np.where(repeats[t], drawn[t - period, column], drawn[t])
    return drawn.astype(np.intp)


def sample(
    cell: Dynamics, start: FloatArray, next_state: IntArray, word: IntArray, length: int
) -> Samples:
    """Run words (T, B); keep the vectors after the first steps, with their last moves."""
    steps, count = word.shape
    h, q = np.repeat(start[None].astype(float), count, 0), np.zeros(count, np.intp)
    hidden, states, moves = (
        np.empty((steps, count, len(start))),
        np.empty((steps, count), np.intp),
        np.empty((steps, count), np.intp),
    )
    for t in range(steps):
        moves[t] = q * next_state.shape[1] + word[t]
        h, q = cell.points(h, word[t]), next_state[q, word[t]]
        hidden[t], states[t] = h, q
    first = max(SETTLED, length)
    history = np.stack([moves[first - back : steps - back] for back in range(length)], -1)
    return Samples(
        hidden[first:].reshape(-1, len(start)), states[first:].ravel(), history.reshape(-1, length)
    )


def arrivals(
    cell: Dynamics, pool: Samples, letters: int, moves: tuple[int, ...], count: int
) -> FloatArray:
    """Run pooled vectors on through ``moves``, the latest first, from their first state."""
    chosen = np.flatnonzero(pool.states == moves[-1] // letters)
    h = pool.hidden[chosen[:: max(1, len(chosen) // count)]]
    for move in moves[::-1]:
        h = cell.points(h, np.full(len(h), move % letters))
    return h
