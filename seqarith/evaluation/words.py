"""Runs given words from their first letter to their last."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from seqarith.evaluation.counts import Counts
from seqarith.execution import emit
from seqarith.model import Model
from seqarith.tasks.task import Letters, Task

_BLOCK_BYTES = 2**19  # of hidden vectors that are worked on at once
_BLOCK_LETTERS = 2**21  # of words that are drawn at once


def run_words(model: Model, letters: Letters, tally: Counts) -> None:
    """Run words (T, N) and count what comes out."""
    first = model.task.first_result_step(len(letters))
    found = emit(model.program, letters, first, model.task.expected(letters))
    tally.least = min(tally.least, float(found.margins.min()))
    wrong = found.wrong if found.wrong.any() else None
    tally.add(letters.shape[1], wrong, lambda chosen: letters[:, chosen])


def every_word(task: Task, bits: int, prefix: Sequence[int] = ()) -> Iterator[Letters]:
    """Yield all words of a width whose digits begin with ``prefix``, in blocks (T, N).

    For tasks without a machine, whose outputs depend on the whole word, and for functions.
    """
    layout = task.natural_layout(bits)
    places = task.digit_steps(layout)
    free, room = bits - len(prefix), _BLOCK_BYTES // 64
    for start in range(0, task.letters**free, room):
        codes = np.arange(start, min(start + room, task.letters**free))
        words = np.zeros((layout.steps, len(codes)), np.intp)
        words[places][: len(prefix)] = np.array(prefix, np.intp)[:, None]
        for step in range(places.start + len(prefix), places.stop):
            codes, words[step] = np.divmod(codes, task.letters)
        yield words


def drawn_words(
    draw: Callable[[int], Letters], count: int, steps: int, hidden: int
) -> Iterator[Letters]:
    """Yield ``count`` words of ``steps`` letters, drawn in blocks that suit a hidden width."""
    room = max(1, min(_BLOCK_LETTERS // steps, _BLOCK_BYTES // (hidden * 4)))
    for start in range(0, count, room):
        yield draw(min(room, count - start))
