"""Search of words u v v v ... that end in a period repeated many times.

Carry chains and long runs are such words, and errors of slowly changing memories appear there. A
lane (u, v) stops where its memory settles on a cycle, because nothing new follows. From the
memories that lanes settled on, the next round begins (u v^n w x x x ...).
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
"""A lane stops if no unit moves further in one period. A slow drift may be missed, that is all."""

LONGEST_PERIOD = 8

NUMBERS = 1 << 24
"""Numbers in the memories of all lanes, at most: 128 MiB of doubles."""


@final
@dataclass(frozen=True, eq=False)
class Prefix:
    """A word, and the memory and the machine state after it."""

    word: Ints
    hidden: Floats
    state: int


@dataclass(eq=False)
class _Lanes:
    """Words that run side by side: their prefix and period, and where they are now."""

    start: Ints
    period: Ints
    hidden: Floats
    states: Ints

    def keep(self, mask: Ints) -> None:
        self.start, self.period = self.start[mask], self.period[mask]
        self.hidden, self.states = self.hidden[mask], self.states[mask]


def periods(letters: int, length: int) -> Ints:
    """List the words of one length that are no power of a shorter word, shape (P, length)."""
    divisors = [d for d in range(1, length) if length % d == 0]
    words = [
        v
        for v in product(range(letters), repeat=length)
        if all(v != v[:d] * (length // d) for d in divisors)
    ]
    return np.array(words, np.intp).reshape(-1, length)


def periodic_search(
    program: ProgramUnderTest,
    frontiers: tuple[Frontier, ...],
    lanes: int,
    steps: int,
    deadline: float,
    *,
    rounds: int = 1 << 20,
) -> Ints | None:
    """Search the words u v^n, then u v^n w x^m from where those settled, and so on.

    Args:
        program: The program under test.
        frontiers: Short words, for each length from 0.
        lanes: Words that run side by side, at most; it limits the lengths of u and v.
        steps: Letters that follow u, at most.
        deadline: Of `time.perf_counter`.
        rounds: Periods in sequence, at most; 1 for u v^n alone.

    Returns:
        The shortest wrong word of the first round that has one.
    """
    lanes = max(1, min(lanes, NUMBERS // len(program.start)))
    small = [f for f in frontiers if len(f.states) ** 2 <= lanes]
    starts = [
        Prefix(f.words[:, i], f.hidden[i], int(f.states[i]))
        for f in small
        for i in range(len(f.states))
    ]
    old: set[tuple[int, bytes]] = set()
    for _ in range(rounds):
        if not starts or perf_counter() > deadline:
            break
        best, ends = _round(program, starts, lanes, steps, deadline)
        if best is not None:
            return best
        fresh = [s for s in _merged(ends) if _place(s) not in old]
        old |= {_place(s) for s in fresh}
        starts = _followed(program, fresh)[: max(1, lanes // program.letters)]
    return None


def _round(
    program: ProgramUnderTest, starts: list[Prefix], lanes: int, steps: int, deadline: float
) -> tuple[Ints | None, list[Prefix]]:
    """Repeat every period after every prefix, for as many lengths of periods as lanes allow."""
    ends: list[Prefix] = []
    best: Ints | None = None
    for length in range(1, LONGEST_PERIOD + 1):
        if program.letters**length * len(starts) > 2 * lanes:
            break
        repeated = periods(program.letters, length)
        if len(repeated) * len(starts) > lanes:
            break
        word, settled = run_periods(program, starts, repeated, steps, deadline)
        if word is not None:
            best = word if best is None else min(best, word, key=program.rank)
            steps = len(best) - 1
        ends += settled
    return best, ends


def run_periods(
    program: ProgramUnderTest, starts: list[Prefix], repeated: Ints, steps: int, deadline: float
) -> tuple[Ints | None, list[Prefix]]:
    """Run every prefix and every period until a wrong digit, a cycle, or ``steps`` letters.

    Args:
        program: The program under test.
        starts: Prefixes.
        repeated: Periods of one length, shape (P, p).
        steps: Letters after the prefix, at most.
        deadline: Of `time.perf_counter`; checked once a period.

    Returns:
        The shortest wrong word, or None; and the words whose lanes settled, equal ends merged.
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

    ends: list[Prefix] = []
    for done in range(0, steps, length):
        before, states = lanes.hidden, lanes.states
        for k in range(length):
            bad = _advance(program, lanes, repeated[lanes.period, k], deadline)
            if bad is None:
                return None, ends
            if len(bad):
                return min((word(i, done + k + 1) for i in bad), key=program.rank), ends
        settled = (np.abs(lanes.hidden - before).max(axis=1) < SETTLED) & (lanes.states == states)
        if settled.any():
            some = np.flatnonzero(settled)
            ends += [
                Prefix(word(i, done + length), lanes.hidden[i], int(lanes.states[i]))
                for i in some[_distinct(lanes.hidden[some], lanes.states[some])]
            ]
            lanes.keep(~settled)
        if not len(lanes.start) or perf_counter() > deadline:
            break
    return None, ends


def _advance(
    program: ProgramUnderTest, lanes: _Lanes, letters: Ints, deadline: float
) -> Ints | None:
    """Read a letter in every lane; return the lanes whose digit is wrong, None if time runs out."""
    hidden = np.empty_like(lanes.hidden)
    bad = np.zeros(len(letters), bool)
    digits = program.output[lanes.states, letters]
    for i in range(0, len(letters), CHUNK):
        if perf_counter() > deadline:
            return None
        part = slice(i, i + CHUNK)
        hidden[part] = program.step(lanes.hidden[part], letters[part])
        bad[part] = program.wrong(hidden[part], digits[part])
    lanes.hidden = hidden
    lanes.states = program.next_state[lanes.states, letters]
    return np.flatnonzero(bad)


def _place(start: Prefix) -> tuple[int, bytes]:
    return start.state, np.round(start.hidden * 1e3).tobytes()


def _distinct(hidden: Floats, states: Ints) -> Ints:
    """Return the first of every group with the same state and memories equal to four places."""
    rows = np.column_stack([np.round(hidden * 1e4), states])
    return np.unique(rows, axis=0, return_index=True)[1]


def _merged(ends: list[Prefix]) -> list[Prefix]:
    if not ends:
        return ends
    ends = sorted(ends, key=lambda s: len(s.word))
    first = _distinct(np.array([s.hidden for s in ends]), np.array([s.state for s in ends]))
    return [ends[i] for i in np.sort(first)]


def _followed(program: ProgramUnderTest, starts: list[Prefix]) -> list[Prefix]:
    """Return every prefix with every letter appended: the ways out of a cycle."""
    if not starts:
        return []
    letters = np.tile(np.arange(program.letters), len(starts))
    owners = [s for s in starts for _ in range(program.letters)]
    hidden = program.step(np.array([s.hidden for s in owners]), letters)
    return [
        Prefix(np.append(s.word, LETTER(a)), h, int(program.next_state[s.state, a]))
        for s, a, h in zip(owners, letters, hidden, strict=True)
    ]
