"""Memories that runs really reach, with the machine state and the last letters."""

from typing import NamedTuple

import numpy as np

from seqarith.certification.kernel.program import FloatArray, IntArray
from seqarith.certification.prove.dynamics import Dynamics

# Probability that a word repeats itself at a step: from independent letters to long runs.
REPEAT = 0.0, 0.3, 0.7, 0.9, 0.97
PERIODS = 1, 1, 1, 2, 3  # how many letters back the repeated letter is: mostly the last one
WARM_UP = 12  # first steps of a word that are dropped: the start is proved apart from the regions


class Samples(NamedTuple):
    """S reached memories: hidden (S, M), states (S,), history (S, L).

    A history lists transitions, the latest first; a transition is a state and the letter read in
    it, as one number: ``state * A + letter``.
    """

    hidden: FloatArray
    states: IntArray
    history: IntArray


def draw_words(rng: np.random.Generator, letters: int, steps: int, count: int) -> IntArray:
    """Draw words (steps, count) whose columns repeat themselves with different probabilities."""
    drawn = rng.integers(letters, size=(steps, count))
    column = np.arange(count)
    keep = np.array(REPEAT)[column % len(REPEAT)]
    period = np.array(PERIODS)[column // len(REPEAT) % len(PERIODS)]
    repeats = rng.random((steps, count)) < keep
    for t in range(max(PERIODS), steps):
        drawn[t] = np.where(repeats[t], drawn[t - period, column], drawn[t])
    return drawn.astype(np.intp)


def sample_reachable(
    cell: Dynamics, start: FloatArray, next_state: IntArray, word: IntArray, length: int
) -> Samples:
    """Run words (T, B) and return the memories after the warm-up, with their last transitions."""
    steps, count = word.shape
    h, q = np.repeat(start[None].astype(float), count, 0), np.zeros(count, np.intp)
    hidden = np.empty((steps, count, len(start)))
    states, transitions = np.empty((2, steps, count), np.intp)
    for t in range(steps):
        transitions[t] = q * next_state.shape[1] + word[t]
        h, q = cell.points(h, word[t]), next_state[q, word[t]]
        hidden[t], states[t] = h, q
    first = max(WARM_UP, length)
    history = np.stack([transitions[first - back : steps - back] for back in range(length)], -1)
    return Samples(
        hidden[first:].reshape(-1, len(start)), states[first:].ravel(), history.reshape(-1, length)
    )


def sample_after(
    cell: Dynamics, pool: Samples, letters: int, transitions: tuple[int, ...], count: int
) -> FloatArray:
    """Step sampled memories through transitions, the latest first, from the state of the first."""
    chosen = np.flatnonzero(pool.states == transitions[-1] // letters)
    h = pool.hidden[chosen[:: max(1, len(chosen) // count)]]
    for transition in transitions[::-1]:
        h = cell.points(h, np.full(len(h), transition % letters))
    return h
