"""A beam search that keeps the words that are nearest to being wrong after every short suffix.

The present logit says little about later errors. The logits after each of the next few letters say
more: they show the directions of the hidden space that later outputs depend on. The beam of
generation t holds words of t letters, so the word it finds is short. Long runs arise by themselves,
because each generation moves a slowly changing memory one letter further.
"""

from __future__ import annotations

from time import perf_counter

import numpy as np

from seqarith.certification.falsify.exhaustive_search import LETTER, LONGEST, Frontier, expand
from seqarith.certification.falsify.program_under_test import Floats, Ints, ProgramUnderTest

SUFFIXES = 32  # of the longest length that is looked ahead, at most
MIN_PROGRESS = 1e-3  # least decrease of the sum of the smallest margins that counts as progress


def beam_search(
    program: ProgramUnderTest,
    front: Frontier,
    width: int,
    deadline: float,
    *,
    patience: int = 30,
    longest: int = LONGEST,
) -> Ints | None:
    """Search from a frontier of words of one length; return a wrong word, or None.

    Args:
        program: The program under test.
        front: Where to begin.
        width: Words kept for each machine state and suffix.
        deadline: Of `time.perf_counter`.
        patience: Generations without progress before giving up.
        longest: Give up at words of this length.
    """
    levels = 1
    while program.letters ** (levels + 1) <= SUFFIXES:
        levels += 1
    best, stale = np.inf, 0
    while stale < patience and len(front.words) < longest and perf_counter() < deadline:
        scores, word = look_ahead(program, front, levels, deadline)
        if word is not None or perf_counter() > deadline:
            return word
        front = _nearest(front, scores, width, program.states)
        reached = float(scores.min(axis=1).sum())
        stale = 0 if reached < best - MIN_PROGRESS else stale + 1
        best = min(best, reached)
        front = _distinct(expand(program, front)[0])
    return None


def look_ahead(
    program: ProgramUnderTest, front: Frontier, levels: int, deadline: float = float("inf")
) -> tuple[Floats, Ints | None]:
    """Return the margins (S, N) after every suffix, and a shortest wrong word if there is one.

    If the time runs out, only shorter suffixes are included.
    """
    columns, count = [], len(front.states)
    hidden, states = front.hidden, front.states
    trail = np.zeros((0, 1), np.intp)
    for level in range(levels):
        if level and perf_counter() > deadline:
            break
        letters = np.repeat(np.arange(program.letters), len(states))
        hidden = program.step(np.tile(hidden, (program.letters, 1)), letters)
        states = np.tile(states, program.letters)
        newest = np.repeat(np.arange(program.letters), trail.shape[1])
        trail = np.vstack([np.tile(trail, program.letters), newest])
        digits = program.output[states, letters]
        bad = np.flatnonzero(program.wrong(hidden, digits))
        if len(bad):
            suffix, word = divmod(int(bad[0]), count)
            return np.array([]), np.append(front.words[:, word], trail[:, suffix].astype(LETTER))
        columns.append(program.margins(hidden, digits).reshape(-1, count))
        states = program.next_state[states, letters]
    return np.concatenate(columns), None


def _nearest(front: Frontier, scores: Floats, width: int, states: int) -> Frontier:
    """Keep, for every machine state and every row of scores (S, N), the words with least scores."""
    chosen: list[Ints] = []
    for q in range(states):
        members = np.flatnonzero(front.states == q)
        if len(members) > width:
            ranked = np.argpartition(scores[:, members], width - 1, axis=1)[:, :width]
            members = members[ranked].ravel()
        chosen.append(members)
    return front.take(np.unique(np.concatenate(chosen)))


def _distinct(front: Frontier, places: float = 1e5) -> Frontier:
    """Keep one of the words whose memories nearly agree, because copies would fill the beam."""
    # A projection to one number is enough to tell memories apart, and quick to sort.
    mixture = np.cos(np.arange(front.hidden.shape[1]) ** 2 + 1.0)
    mixed = np.round(front.hidden.astype(float) * places) @ mixture
    _, first = np.unique(np.column_stack([mixed, front.states]), axis=0, return_index=True)
    return front.take(np.sort(first))
