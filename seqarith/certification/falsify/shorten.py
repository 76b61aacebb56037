"""From a wrong word to a shorter one: cut blocks out; then make its operands smaller."""

from __future__ import annotations

from time import perf_counter

import numpy as np

from seqarith.certification.falsify.program_under_test import Ints, ProgramUnderTest

WORK = 1 << 19
"""Cell steps that one round of candidates may cost, about 0.2 s at 16 units."""

SURE = 4
"""Candidates of one length that are run alone, where batches and single rows disagree."""


def cut(suspect: ProgramUnderTest, word: Ints, deadline: float) -> Ints:
    """Take blocks out of a wrong word, long ones first, as long as what is left is wrong."""
    size = len(word) // 2
    while size and perf_counter() < deadline:
        shorter = _without(suspect, word, size)
        if shorter is None:
            size //= 2
        else:
            word = shorter
            size = min(size, len(word) // 2)
    return word


def _without(suspect: ProgramUnderTest, word: Ints, size: int) -> Ints | None:
    stride = max(1, len(word) ** 2 // WORK, size // 8)
    begins = np.arange(0, len(word) - size + 1, stride)
    rest = np.arange(len(word) - size)[:, None]
    return best_of(suspect, word[rest + size * (rest >= begins)])


def best_of(suspect: ProgramUnderTest, words: Ints) -> Ints | None:
    """Return the best of the words (T, N) that are wrong, cut after the first wrong digit."""
    at = suspect.first_errors(words)
    for length in np.unique(at[at < len(words)]):
        some = [words[: length + 1, i] for i in np.flatnonzero(at == length)]
        for word in sorted(some, key=suspect.rank)[:SURE]:
            sure = suspect.confirmed(word)
            if sure is not None:
                return sure
    return None


def smallest(suspect: ProgramUnderTest, word: Ints, deadline: float) -> Ints:
    """Make the letters of a wrong word smaller one by one, its length kept."""
    changed = True
    while changed and perf_counter() < deadline:
        changed = False
        places, letters = (x.ravel() for x in np.indices((len(word), suspect.letters)))
        lower = np.flatnonzero(letters < word[places])
        if len(lower) * len(word) > WORK:
            lower = lower[np.linspace(0, len(lower) - 1, max(1, WORK // len(word))).astype(int)]
        words = np.repeat(word[:, None], len(lower), axis=1)
        words[places[lower], np.arange(len(lower))] = letters[lower]
        found = best_of(suspect, words) if len(lower) else None
        if found is not None:
            word, changed = found, True
    return word
