"""Runs every word of a width, or of a part of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from seqarith.evaluation.counts import Counts
from seqarith.evaluation.prefixes import Prefixes
from seqarith.evaluation.words import every_word, run_words
from seqarith.model import Model

Progress = Callable[[int, int], None]


def run_exhaustively(
    model: Model, bits: int, prefix: Sequence[int] = (), progress: Progress | None = None
) -> Counts:
    """Run a model on all words of a width whose digits begin with ``prefix``, and count.

    Args:
        model: The model.
        bits: Digits of each operand.
        prefix: The first letters of the words.
        progress: Called with the words that are done, and how many there are.
    """
    tally, total = Counts(model.task), model.task.letters ** (bits - len(prefix))
    with np.errstate(over="ignore", invalid="ignore"):  # as in `seqarith.execution.emit`
        for _ in _counted(model, bits, prefix, tally):
            if progress:
                progress(tally.words, total)
    return tally


def _counted(model: Model, bits: int, prefix: Sequence[int], tally: Counts) -> Iterator[None]:
    """Add all words to a tally, block by block."""
    if model.task.machine is None:
        for letters in every_word(model.task, bits, prefix):
            run_words(model, letters, tally)
            yield
        return
    tree = Prefixes(model.task, model.program, bits)
    for block in tree.words(prefix):
        tally.least = tree.least
        tally.add(len(block), block.wrong, partial(tree.letters, block))
        yield
