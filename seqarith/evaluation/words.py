"""Run given words, and generate words: every one of a width, or random ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from seqarith.evaluation.counts import Counts
from seqarith.execution import emit
from seqarith.model import Model
from seqarith.tasks.task import Letters, Task

_BLOCK_BYTES = 2**19  # of hidden vectors that are processed at once: they fit in the cache
_BLOCK_LETTERS = 2**21  # letters of the words that are drawn at once: bounds the memory


def run_words(model: Model, letters: Letters, counts: Counts) -> None:
    """Run words (T, N) and add their results to counts."""
    first = model.task.first_result_step(len(letters))
    found = emit(model.program, letters, first, model.task.expected(letters))
    counts.least = min(counts.least, float(found.margins.min()))
    wrong = found.wrong if found.wrong.any() else None
    counts.add(letters.shape[1], wrong, lambda chosen: letters[:, chosen])


def every_word(task: Task, bits: int, prefix: Sequence[int] = ()) -> Iterator[Letters]:
    """Yield all words of a width whose digits begin with ``prefix``, in blocks (T, N).

    It serves tasks without a machine, whose outputs depend on the whole word, and functions.
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
    """Yield ``count`` words of ``steps`` letters in blocks sized for a hidden width."""
    room = max(1, min(_BLOCK_LETTERS // steps, _BLOCK_BYTES // (hidden * 4)))
    for start in range(0, count, room):
        yield draw(min(room, count - start))
