"""Run every word of a width, or every word with a given prefix."""

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
        progress: Called with the number of words done, and of all.
    """
    counts, total = Counts(model.task), model.task.letters ** (bits - len(prefix))
    with np.errstate(over="ignore", invalid="ignore"):  # as in `seqarith.execution.emit`
        for _ in _counted(model, bits, prefix, counts):
            if progress:
                progress(counts.words, total)
    return counts


def _counted(model: Model, bits: int, prefix: Sequence[int], counts: Counts) -> Iterator[None]:
    """Add all words to counts, block by block."""
    if model.task.machine is None:
        for letters in every_word(model.task, bits, prefix):
            run_words(model, letters, counts)
            yield
        return
    tree = Prefixes(model.task, model.program, bits)
    for block in tree.words(prefix):
        counts.least = tree.least
        counts.add(len(block), block.wrong, partial(tree.letters, block))
        yield
