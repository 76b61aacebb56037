"""A beam search that keeps the words nearest to being wrong, after every short suffix.

The logit now says little of what will go wrong later; the logits after each of the next few letters
do: they are the directions of the hidden space that later outputs see. The beam of generation t
holds words of t letters, so what it finds is short, and growing runs appear by themselves, as each
generation pushes a slow mode one letter further.
"""

from __future__ import annotations

from time import perf_counter

import numpy as np

from seqarith.certification.falsify.exhaustive_search import LETTER, LONGEST, Frontier, expand
from seqarith.certification.falsify.program_under_test import Floats, Ints, ProgramUnderTest

SUFFIXES = 32  # looked at, at most, one letter, two, ...
FALL = 1e-3  # by which the smallest margins must fall, all together, or the beam stands still


def beam_search(
    suspect: ProgramUnderTest,
    front: Frontier,
    width: int,
    deadline: float,
    *,
    patience: int = 30,
    longest: int = LONGEST,
) -> Ints | None:
    """Search from a frontier of words of one length; return a wrong word, or None.

    Args:
        suspect: What is searched.
        front: Where to begin.
        width: Words kept for each machine state and suffix.
        deadline: Of `time.perf_counter`.
        patience: Give up after so many generations without the smallest margins falling.
        longest: Give up at words of this length.
    """
    levels = 1
    while suspect.letters ** (levels + 1) <= SUFFIXES:
        levels += 1
    best, stale = np.inf, 0
    while stale < patience and len(front.words) < longest and perf_counter() < deadline:
        scores, word = look_ahead(suspect, front, levels, deadline)
        if word is not None or perf_counter() > deadline:
            return word
        front = _nearest(front, scores, width, suspect.states)
        reached = float(scores.min(axis=1).sum())
        stale = 0 if reached < best - FALL else stale + 1
        best = min(best, reached)
        front = _distinct(expand(suspect, front)[0])
    return None


def look_ahead(
    suspect: ProgramUnderTest, front: Frontier, levels: int, deadline: float = float("inf")
) -> tuple[Floats, Ints | None]:
    """Return the margins (S, N) after every suffix, and a shortest wrong word if one is met.

    Where the time ends before, they are those of shorter suffixes.
    """
    columns, count = [], len(front.states)
    hidden, states = front.hidden, front.states
    trail = np.zeros((0, 1), np.intp)
    for level in range(levels):
        if level and perf_counter() > deadline:
            break
        letters = np.repeat(np.arange(suspect.letters), len(states))
        hidden = suspect.step(np.tile(hidden, (suspect.letters, 1)), letters)
        states = np.tile(states, suspect.letters)
        newest = np.repeat(np.arange(suspect.letters), trail.shape[1])
        trail = np.vstack([np.tile(trail, suspect.letters), newest])
        digits = suspect.output[states, letters]
        bad = np.flatnonzero(suspect.wrong(hidden, digits))
        if len(bad):
            suffix, word = divmod(int(bad[0]), count)
            return np.array([]), np.append(front.words[:, word], trail[:, suffix].astype(LETTER))
        columns.append(suspect.margins(hidden, digits).reshape(-1, count))
        states = suspect.next_state[states, letters]
    return np.concatenate(columns), None


def _nearest(front: Frontier, scores: Floats, width: int, states: int) -> Frontier:
    """Keep, for every machine state and row of scores (S, N), the words of the smallest scores."""
    chosen: list[Ints] = []
    for q in range(states):
        members = np.flatnonzero(front.states == q)
        if len(members) > width:
            ranked = np.argpartition(scores[:, members], width - 1, axis=1)[:, :width]
            members = members[ranked].ravel()
        chosen.append(members)
    return front.take(np.unique(np.concatenate(chosen)))


def _distinct(front: Frontier, places: float = 1e5) -> Frontier:
    """Keep one of the words whose hidden vectors nearly agree: copies would fill the beam."""
    mixture = np.cos(np.arange(front.hidden.shape[1]) ** 2 + 1.0)
    mixed = np.round(front.hidden.astype(float) * places) @ mixture
    _, first = np.unique(np.column_stack([mixed, front.states]), axis=0, return_index=True)
    return front.take(np.sort(first))
