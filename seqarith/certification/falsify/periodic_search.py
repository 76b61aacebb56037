"""Words that end in a period repeated for long, u v v v ..., where slow modes of a network show.

A carry chain is such a word, so is any long run. Where a lane (u, v) settles on a cycle nothing new
follows, so it stops there; the vector that it settled on is where the next round of prefixes begins
(u v^n w x x x ...).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from time import perf_counter
from typing import final

import numpy as np

from seqarith.certification.falsify.exhaustive_search import CHUNK, LETTER, Frontier
from seqarith.certification.falsify.program_under_test import Floats, Ints, ProgramUnderTest

SETTLED = 1e-7
"""A lane stops where no unit moved further in one period: a drift may be lost, never soundness."""

LONGEST_PERIOD = 8

NUMBERS = 1 << 24
"""Numbers in the hidden vectors of all lanes, at most: so many are looked at in a moment."""


@final
@dataclass(frozen=True, eq=False)
class Start:
    """A word, and the hidden vector and the machine's state after it."""

    word: Ints
    hidden: Floats
    state: int


@dataclass(eq=False)
class _Lanes:
    """Words that run side by side: which start, which period, and where they are now."""

    start: Ints
    period: Ints
    hidden: Floats
    states: Ints

    def keep(self, mask: Ints) -> None:
        self.start, self.period = self.start[mask], self.period[mask]
        self.hidden, self.states = self.hidden[mask], self.states[mask]


def periods(letters: int, length: int) -> Ints:
    """List the primitive words of one length, (P, length): no power of a shorter word."""
    divisors = [d for d in range(1, length) if length % d == 0]
    words = [
        v
        for v in product(range(letters), repeat=length)
        if all(v != v[:d] * (length // d) for d in divisors)
    ]
    return np.array(words, np.intp).reshape(-1, length)


def periodic_search(
    suspect: ProgramUnderTest,
    frontiers: tuple[Frontier, ...],
    lanes: int,
    steps: int,
    deadline: float,
    *,
    rounds: int = 1 << 20,
) -> Ints | None:
    """Search u v^n, then u v^n w x^m from where those settled, until nothing new appears.

    Args:
        suspect: What is searched.
        frontiers: The short words, one a length from 0.
        lanes: At most so many words side by side; it decides how long u and v get.
        steps: At most so many letters of a period.
        deadline: Of `time.perf_counter`.
        rounds: At most so many periods after one another; 1 for u v^n alone.

    Returns:
        The shortest wrong word of the first round that has any.
    """
    lanes = max(1, min(lanes, NUMBERS // len(suspect.start)))
    small = [f for f in frontiers if len(f.states) ** 2 <= lanes]
    starts = [
        Start(f.words[:, i], f.hidden[i], int(f.states[i]))
        for f in small
        for i in range(len(f.states))
    ]
    old: set[tuple[int, bytes]] = set()
    for _ in range(rounds):
        if not starts or perf_counter() > deadline:
            break
        best, ends = _round(suspect, starts, lanes, steps, deadline)
        if best is not None:
            return best
        fresh = [s for s in _merged(ends) if _place(s) not in old]
        old |= {_place(s) for s in fresh}
        starts = _followed(suspect, fresh)[: max(1, lanes // suspect.letters)]
    return None


def _round(
    suspect: ProgramUnderTest, starts: list[Start], lanes: int, steps: int, deadline: float
) -> tuple[Ints | None, list[Start]]:
    """Repeat every period after every start, as many lengths of periods as there are lanes for."""
    ends: list[Start] = []
    best: Ints | None = None
    for length in range(1, LONGEST_PERIOD + 1):
        if suspect.letters**length * len(starts) > 2 * lanes:
            break
        repeated = periods(suspect.letters, length)
        if len(repeated) * len(starts) > lanes:
            break
        word, settled = repeat(suspect, starts, repeated, steps, deadline)
        if word is not None:
            best = word if best is None else min(best, word, key=suspect.rank)
            steps = len(best) - 1
        ends += settled
    return best, ends


def repeat(
    suspect: ProgramUnderTest, starts: list[Start], repeated: Ints, steps: int, deadline: float
) -> tuple[Ints | None, list[Start]]:
    """Run every start followed by every period, to a wrong digit, a cycle, or ``steps`` letters.

    Args:
        suspect: What is searched.
        starts: Prefixes with their hidden vectors.
        repeated: Periods of one length, shape (P, p).
        steps: At most so many letters after the prefix.
        deadline: Of `time.perf_counter`, looked at once a period.

    Returns:
        The shortest wrong word met, or None; and where lanes settled, ends that agree merged.
    """
    count, length = len(repeated), repeated.shape[1]
    lanes = _Lanes(
        np.repeat(np.arange(len(starts)), count),
        np.tile(np.arange(count), len(starts)),
        np.repeat(np.array([s.hidden for s in starts]), count, axis=0),
        np.repeat(np.array([s.state for s in starts]), count),
    )

    def word(lane: int, letters: int) -> Ints:
        tail = np.resize(repeated[lanes.period[lane]], letters)
        return np.append(starts[lanes.start[lane]].word, tail.astype(LETTER))

    ends: list[Start] = []
    for done in range(0, steps, length):
        before, states = lanes.hidden, lanes.states
        for k in range(length):
            bad = _advance(suspect, lanes, repeated[lanes.period, k], deadline)
            if bad is None:
                return None, ends
            if len(bad):
                return min((word(i, done + k + 1) for i in bad), key=suspect.rank), ends
        settled = (np.abs(lanes.hidden - before).max(axis=1) < SETTLED) & (lanes.states == states)
        if settled.any():
            some = np.flatnonzero(settled)
            ends += [
                Start(word(i, done + length), lanes.hidden[i], int(lanes.states[i]))
                for i in some[_distinct(lanes.hidden[some], lanes.states[some])]
            ]
            lanes.keep(~settled)
        if not len(lanes.start) or perf_counter() > deadline:
            break
    return None, ends


def _advance(
    suspect: ProgramUnderTest, lanes: _Lanes, letters: Ints, deadline: float
) -> Ints | None:
    """Read a letter in every lane; return the lanes whose digit is wrong.

    Returns:
        None where the time ends before all have read it.
    """
    hidden = np.empty_like(lanes.hidden)
    bad = np.zeros(len(letters), bool)
    digits = suspect.output[lanes.states, letters]
    for i in range(0, len(letters), CHUNK):
        if perf_counter() > deadline:
            return None
        part = slice(i, i + CHUNK)
        hidden[part] = suspect.step(lanes.hidden[part], letters[part])
        bad[part] = suspect.wrong(hidden[part], digits[part])
    lanes.hidden = hidden
    lanes.states = suspect.next_state[lanes.states, letters]
    return np.flatnonzero(bad)


def _place(start: Start) -> tuple[int, bytes]:
    return start.state, np.round(start.hidden * 1e3).tobytes()


def _distinct(hidden: Floats, states: Ints) -> Ints:
    """Return the first of every group of equal states and hidden vectors equal to four places."""
    rows = np.column_stack([np.round(hidden * 1e4), states])
    return np.unique(rows, axis=0, return_index=True)[1]


def _merged(ends: list[Start]) -> list[Start]:
    if not ends:
        return ends
    ends = sorted(ends, key=lambda s: len(s.word))
    first = _distinct(np.array([s.hidden for s in ends]), np.array([s.state for s in ends]))
    return [ends[i] for i in np.sort(first)]


def _followed(suspect: ProgramUnderTest, starts: list[Start]) -> list[Start]:
    """Return every start followed by every letter: the way out of a cycle."""
    if not starts:
        return []
    letters = np.tile(np.arange(suspect.letters), len(starts))
    owners = [s for s in starts for _ in range(suspect.letters)]
    hidden = suspect.step(np.array([s.hidden for s in owners]), letters)
    return [
        Start(np.append(s.word, LETTER(a)), h, int(suspect.next_state[s.state, a]))
        for s, a, h in zip(owners, letters, hidden, strict=True)
    ]
