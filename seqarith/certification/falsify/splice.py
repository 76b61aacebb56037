"""From a wrong word to a shorter one by way of words that are shorter still and nearly wrong.

The last margin is differentiated by every hidden vector on the way; to first order that says which
other beginnings and which other joints keep it wrong. Those are run.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import final

import numpy as np

from seqarith.certification.falsify.exhaustive_search import LETTER, Exhausted, Frontier
from seqarith.certification.falsify.program_under_test import Floats, Ints, ProgramUnderTest
from seqarith.certification.falsify.shorten import best_of, cut

CUTS = 256
"""Places of a long word where it may be joined again; a shorter word is joined everywhere."""

BEGINNINGS = 4096
PROPOSED = 32
ROUNDS, WIDTH = 4, 4  # rounds in vain before giving up; nearly wrong words kept from round to round
LARGEST = 1 << 24  # numbers in the Jacobians of one word


@final
@dataclass(frozen=True, eq=False)
class Track:
    """A word seen from its last digit.

    Args:
        word: Shape (T,).
        hidden: Shape (T + 1, M).
        states: Shape (T + 1,).
        margin: Of the last digit.
        gradient: Of that margin by every hidden vector on the way, shape (T + 1, M).
    """

    word: Ints
    hidden: Floats
    states: Ints
    margin: float
    gradient: Floats


@final
@dataclass(frozen=True, eq=False)
class Splices:
    """Other beginnings: ``word[:begin]`` and then ``letters``, and where that leads."""

    begin: Ints
    letters: list[Ints]
    hidden: Floats
    states: Ints

    @property
    def lengths(self) -> Ints:
        """Letters of every beginning, shape (N,)."""
        lengths: Ints = self.begin + np.array([len(w) for w in self.letters])
        return lengths


def bridge(suspect: ProgramUnderTest, word: Ints, known: Exhausted, deadline: float) -> Ints:
    """Search near a wrong word for a shorter one; return the best wrong word met.

    Args:
        suspect: What is searched.
        word: Wrong at its last digit, shape (T,).
        known: The breadth-first search: its frontiers are met in the middle.
        deadline: Of `time.perf_counter`.
    """
    around, vain = [word], 0
    while around and vain < ROUNDS and len(word) > known.length + 1 and perf_counter() < deadline:
        candidates: list[Ints] = []
        for near in around:
            if perf_counter() > deadline or len(near) * len(suspect.start) ** 2 > LARGEST:
                break
            path = track(suspect, near)
            candidates += _proposals(path, _bridges(suspect, path, known.frontiers), len(word) - 1)
        found, ranked = _evaluate(suspect, candidates)
        if found is not None:
            word, vain = cut(suspect, found, deadline), 0
            around = [word, *[w for w in ranked if len(w) < len(word)][:WIDTH]]
        else:
            around, vain = ranked[:WIDTH], vain + 1
    return word


def track(suspect: ProgramUnderTest, word: Ints) -> Track:
    """Run one word and differentiate its last margin, by central differences, chained."""
    states = suspect.trace(word[:, None])[:, 0]
    hidden = [suspect.start[None]]
    for letter in word:
        hidden.append(suspect.step(hidden[-1], np.array([letter])))
    path = np.concatenate(hidden)
    digit = suspect.output[states[-2], word[-1]]
    width = path.shape[1]
    shift = float(np.cbrt(np.finfo(path.dtype).eps))
    moved = np.concatenate([shift * np.eye(width), -shift * np.eye(width)]).astype(path.dtype)
    gradient = np.zeros((len(word) + 1, width))
    ends = suspect.margins(path[-1] + moved, np.full(2 * width, digit))
    gradient[-1] = (ends[:width] - ends[width:]) / (2 * shift)
    after = suspect.step((path[:-1, None] + moved).reshape(-1, width), np.repeat(word, 2 * width))
    after = after.reshape(len(word), 2, width, width)
    jacobians = (after[:, 0] - after[:, 1]) / (2 * shift)
    for t in range(len(word) - 1, -1, -1):
        gradient[t] = jacobians[t] @ gradient[t + 1]
    margin = float(suspect.margins(path[-1:], np.array([digit]))[0])
    return Track(word, path, states, margin, gradient)


def _places(length: int) -> Ints:
    return np.unique(np.linspace(0, length - 1, min(length, CUTS)).astype(np.intp))


def _bridges(suspect: ProgramUnderTest, path: Track, frontiers: tuple[Frontier, ...]) -> Splices:
    """From every point on the way go on with every short word; from the start, with frontiers."""
    begin = _places(len(path.word))
    letters: list[Ints] = [np.zeros(0, LETTER)] * len(begin)
    hidden, states = path.hidden[begin], path.states[begin]
    parts = [(begin, letters, hidden, states)]
    every = np.arange(suspect.letters)
    while len(states) * suspect.letters <= BEGINNINGS:
        added = np.repeat(every, len(states))
        letters = [np.append(w, LETTER(a)) for a in every for w in letters]
        hidden = suspect.step(np.tile(hidden, (suspect.letters, 1)), added)
        states = suspect.next_state[np.tile(states, suspect.letters), added]
        begin = np.tile(begin, suspect.letters)
        parts.append((begin, letters, hidden, states))
    parts += [
        (np.zeros(len(f.states), np.intp), list(f.words.T), f.hidden, f.states)
        for f in frontiers
        if len(f.words) < len(path.word)
    ]
    return Splices(
        np.concatenate([p[0] for p in parts]),
        [w for p in parts for w in p[1]],
        np.concatenate([p[2] for p in parts]),
        np.concatenate([p[3] for p in parts]),
    )


def _proposals(path: Track, other: Splices, longest: int) -> list[Ints]:
    """Return words whose last margin, to first order, is small.

    A beginning may be followed by the rest of the word from any point of the same machine state
    on. The candidates are ranked within classes of equal saving: those that save least would
    crowd out the others.
    """
    rests = _places(len(path.word))
    gradient = path.gradient[rests]
    scores = other.hidden @ gradient.T + (path.margin - (path.hidden[rests] * gradient).sum(axis=1))
    lengths = other.lengths[:, None] + len(path.word) - rests
    allowed = (lengths <= longest) & (other.states[:, None] == path.states[rests])
    saved = np.log2(np.maximum(len(path.word) - lengths, 0) + 1).astype(int)
    words = []
    for kind in range(int(saved.max()) + 1):
        flat = np.flatnonzero(allowed & (saved == kind))
        value = scores.ravel()[flat]
        if len(flat) > PROPOSED:
            flat = flat[np.argpartition(value, PROPOSED)[:PROPOSED]]
        for i, j in zip(*np.unravel_index(flat, scores.shape), strict=True):
            parts = [path.word[: other.begin[i]], other.letters[i], path.word[rests[j] :]]
            words.append(np.concatenate(parts))
    return words


def _evaluate(suspect: ProgramUnderTest, words: list[Ints]) -> tuple[Ints | None, list[Ints]]:
    """Run words of several lengths: the best wrong one, and all of them by their last margin."""
    best: Ints | None = None
    ranked: list[tuple[float, Ints]] = []
    for length in sorted({len(w) for w in words}):
        unique = np.unique(np.array([w for w in words if len(w) == length]), axis=0).T
        found = best_of(suspect, unique)
        if found is not None:
            best = found if best is None else min(best, found, key=suspect.rank)
        last = _last_margins(suspect, unique)
        ranked += [(float(m), unique[:, i]) for i, m in enumerate(last)]
    return best, [word for _, word in sorted(ranked, key=lambda pair: pair[0])]


def _last_margins(suspect: ProgramUnderTest, words: Ints) -> Floats:
    hidden = np.repeat(suspect.start[None], words.shape[1], axis=0)
    for letters in words:
        hidden = suspect.step(hidden, letters)
    states = suspect.trace(words[:-1])[-1]
    return suspect.margins(hidden, suspect.output[states, words[-1]])
