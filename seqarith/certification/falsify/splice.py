"""Shorten a wrong word by replacing its beginning, by way of shorter words that are nearly wrong.

The last margin is differentiated by the memory at every step. To first order the gradients tell
which other beginnings, joined to the word at which step, keep the margin small. Those are run.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import final

import numpy as np

from seqarith.certification.falsify.exhaustive_search import LETTER, ExhaustiveResult, Frontier
from seqarith.certification.falsify.program_under_test import Floats, Ints, ProgramUnderTest
from seqarith.certification.falsify.shorten import best_wrong_word, cut_blocks

CUTS = 256
"""Steps of a long word where it may be joined; a shorter word is joined everywhere."""

BEGINNINGS = 4096  # that are tried, beside the frontiers, at most
PROPOSED = 32  # words of each class that are run
ROUNDS, WIDTH = 4, 4  # rounds in vain before giving up; nearly wrong words kept for the next
MAX_NUMBERS = 1 << 24  # numbers in the Jacobians of one word


@final
@dataclass(frozen=True, eq=False)
class SensitiveWord:
    """A word with the derivatives of its last margin.

    Args:
        word: Shape (T,).
        hidden: Memories before, between and after its letters, shape (T + 1, M).
        states: Machine states there, shape (T + 1,).
        margin: Of the last digit.
        gradient: Of that margin by every memory, shape (T + 1, M).
    """

    word: Ints
    hidden: Floats
    states: Ints
    margin: float
    gradient: Floats


@final
@dataclass(frozen=True, eq=False)
class Beginnings:
    """Other beginnings, ``word[:begin]`` and then ``letters``, and the memories they reach."""

    begin: Ints
    letters: list[Ints]
    hidden: Floats
    states: Ints

    @property
    def lengths(self) -> Ints:
        """Letters of every beginning, shape (N,)."""
        lengths: Ints = self.begin + np.array([len(w) for w in self.letters])
        return lengths


def splice(program: ProgramUnderTest, word: Ints, known: ExhaustiveResult, deadline: float) -> Ints:
    """Search near a wrong word for a shorter one; return the best wrong word found.

    Args:
        program: The program under test.
        word: Wrong at its last digit, shape (T,).
        known: The breadth-first search, whose frontiers are other beginnings.
        deadline: Of `time.perf_counter`.
    """
    around, vain = [word], 0
    while around and vain < ROUNDS and len(word) > known.length + 1 and perf_counter() < deadline:
        candidates: list[Ints] = []
        for near in around:
            if perf_counter() > deadline or len(near) * len(program.start) ** 2 > MAX_NUMBERS:
                break
            path = differentiate(program, near)
            beginnings = _beginnings(program, path, known.frontiers)
            candidates += _proposals(path, beginnings, len(word) - 1)
        found, ranked = _evaluate(program, candidates)
        if found is not None:
            word, vain = cut_blocks(program, found, deadline), 0
            around = [word, *[w for w in ranked if len(w) < len(word)][:WIDTH]]
        else:
            around, vain = ranked[:WIDTH], vain + 1
    return word


def differentiate(program: ProgramUnderTest, word: Ints) -> SensitiveWord:
    """Run a word and differentiate its last margin: a chain of central differences."""
    states = program.machine.trace(word)
    hidden = [program.start[None]]
    for letter in word:
        hidden.append(program.step(hidden[-1], np.array([letter])))
    path = np.concatenate(hidden)
    digit = program.output[states[-2], word[-1]]
    width = path.shape[1]
    # The error of a central difference is least at about the cube root of epsilon.
    shift = float(np.cbrt(np.finfo(path.dtype).eps))
    moved = np.concatenate([shift * np.eye(width), -shift * np.eye(width)]).astype(path.dtype)
    gradient = np.zeros((len(word) + 1, width))
    ends = program.margins(path[-1] + moved, np.full(2 * width, digit))
    gradient[-1] = (ends[:width] - ends[width:]) / (2 * shift)
    after = program.step((path[:-1, None] + moved).reshape(-1, width), np.repeat(word, 2 * width))
    after = after.reshape(len(word), 2, width, width)
    jacobians = (after[:, 0] - after[:, 1]) / (2 * shift)
    for t in range(len(word) - 1, -1, -1):
        gradient[t] = jacobians[t] @ gradient[t + 1]
    margin = float(program.margins(path[-1:], np.array([digit]))[0])
    return SensitiveWord(word, path, states, margin, gradient)


def _places(length: int) -> Ints:
    return np.unique(np.linspace(0, length - 1, min(length, CUTS)).astype(np.intp))


def _beginnings(
    program: ProgramUnderTest, path: SensitiveWord, frontiers: tuple[Frontier, ...]
) -> Beginnings:
    """List every part of the word with every short word appended, then the frontiers' words."""
    begin = _places(len(path.word))
    letters: list[Ints] = [np.zeros(0, LETTER)] * len(begin)
    hidden, states = path.hidden[begin], path.states[begin]
    parts = [(begin, letters, hidden, states)]
    every = np.arange(program.letters)
    while len(states) * program.letters <= BEGINNINGS:
        added = np.repeat(every, len(states))
        letters = [np.append(w, LETTER(a)) for a in every for w in letters]
        hidden = program.step(np.tile(hidden, (program.letters, 1)), added)
        states = program.next_state[np.tile(states, program.letters), added]
        begin = np.tile(begin, program.letters)
        parts.append((begin, letters, hidden, states))
    parts += [
        (np.zeros(len(f.states), np.intp), list(f.words.T), f.hidden, f.states)
        for f in frontiers
        if len(f.words) < len(path.word)
    ]
    return Beginnings(
        np.concatenate([p[0] for p in parts]),
        [w for p in parts for w in p[1]],
        np.concatenate([p[2] for p in parts]),
        np.concatenate([p[3] for p in parts]),
    )


def _proposals(path: SensitiveWord, other: Beginnings, longest: int) -> list[Ints]:
    """Return words whose last margin, to first order, is small.

    A beginning may be followed by the rest of the word from any step in the same machine state.
    Candidates are ranked within classes of about equal saving, because otherwise those that save
    least would displace all others.
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


def _evaluate(program: ProgramUnderTest, words: list[Ints]) -> tuple[Ints | None, list[Ints]]:
    """Run words of several lengths; return the best wrong one, and all sorted by last margin."""
    best: Ints | None = None
    ranked: list[tuple[float, Ints]] = []
    for length in sorted({len(w) for w in words}):
        unique = np.unique(np.array([w for w in words if len(w) == length]), axis=0).T
        found = best_wrong_word(program, unique)
        if found is not None:
            best = found if best is None else min(best, found, key=program.rank)
        last = _last_margins(program, unique)
        ranked += [(float(m), unique[:, i]) for i, m in enumerate(last)]
    return best, [word for _, word in sorted(ranked, key=lambda pair: pair[0])]


def _last_margins(program: ProgramUnderTest, words: Ints) -> Floats:
    hidden = np.repeat(program.start[None], words.shape[1], axis=0)
    for letters in words:
        hidden = program.step(hidden, letters)
    states = program.machine.trace(words[:-1])[-1]
    return program.margins(hidden, program.output[states, words[-1]])
