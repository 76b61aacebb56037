"""Shorten a wrong word by cutting blocks out, and make its operands smaller."""

from __future__ import annotations

from time import perf_counter

import numpy as np

from seqarith.certification.falsify.program_under_test import Ints, ProgramUnderTest

WORK = 1 << 19
"""Steps that one round of candidates may cost: about 0.2 s at 16 units."""

SURE = 4
"""Candidates of one length that are run alone; batches and single rows may round differently."""


def cut_blocks(program: ProgramUnderTest, word: Ints, deadline: float) -> Ints:
    """Remove blocks from a wrong word, long ones first, as long as the rest is wrong."""
    size = len(word) // 2
    while size and perf_counter() < deadline:
        shorter = _without(program, word, size)
        if shorter is None:
            size //= 2
        else:
            word = shorter
            size = min(size, len(word) // 2)
    return word


def _without(program: ProgramUnderTest, word: Ints, size: int) -> Ints | None:
    stride = max(1, len(word) ** 2 // WORK, size // 8)
    begins = np.arange(0, len(word) - size + 1, stride)
    rest = np.arange(len(word) - size)[:, None]
    return best_wrong_word(program, word[rest + size * (rest >= begins)])


def best_wrong_word(program: ProgramUnderTest, words: Ints) -> Ints | None:
    """Return the first of the wrong words among (T, N) by rank, up to its first wrong digit."""
    at = program.first_errors(words)
    for length in np.unique(at[at < len(words)]):
        some = [words[: length + 1, i] for i in np.flatnonzero(at == length)]
        for word in sorted(some, key=program.rank)[:SURE]:
            sure = program.confirmed(word)
            if sure is not None:
                return sure
    return None


def decrease_letters(program: ProgramUnderTest, word: Ints, deadline: float) -> Ints:
    """Make the letters of a wrong word smaller, one at a time, keeping its length."""
    changed = True
    while changed and perf_counter() < deadline:
        changed = False
        places, letters = (x.ravel() for x in np.indices((len(word), program.letters)))
        lower = np.flatnonzero(letters < word[places])
        if len(lower) * len(word) > WORK:
            lower = lower[np.linspace(0, len(lower) - 1, max(1, WORK // len(word))).astype(int)]
        words = np.repeat(word[:, None], len(lower), axis=1)
        words[places[lower], np.arange(len(lower))] = letters[lower]
        found = best_wrong_word(program, words) if len(lower) else None
        if found is not None:
            word, changed = found, True
    return word
