"""Evaluate a model on operands of a width: on all of them, or on a sample."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from functools import partial
from typing import Literal

import numpy as np

from seqarith.errors import InvalidValueError
from seqarith.evaluation.carry_chains import chain_name, count_chains, longest_chains
from seqarith.evaluation.counts import Counts
from seqarith.evaluation.exhaustive import Progress, run_exhaustively
from seqarith.evaluation.function_check import compare_function
from seqarith.evaluation.result import Evaluation
from seqarith.evaluation.words import drawn_words, run_words
from seqarith.model import Model
from seqarith.tasks.sampling import Sampler
from seqarith.tasks.task import Task

EXHAUSTIVE_LIMIT = 2**28
"""Most operand tuples that are all run by default."""

MAX_EXHAUSTIVE = 2**62
"""Most operand tuples that can all be run: they are numbered by an int64."""

SAMPLES, FEWEST = 100_000, 1_000
"""Default number of operand tuples in a sample, and the fewest for long words."""

WORK, STEP_WORK = 2**36, 200
"""Multiplications of a default sample, about 20 seconds; fixed cost of a step in the same unit."""


@np.errstate(over="ignore", invalid="ignore")  # units without a bound may overflow
def evaluate(
    model: Model,
    bits: int,
    *,
    samples: int | None = None,
    exhaustive: bool = False,
    seed: int = 0,
    jobs: int = 1,
    checkpoint: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Run a model on operands of ``bits`` digits and count the correct results.

    Args:
        model: The model.
        bits: Digits of each operand; any width, not only that of training.
        samples: Draw so many operand tuples instead of running all; default: run all if there are
            at most 2**28, otherwise draw 100,000, or fewer (at least 1,000) if operands are so wide
            that this would take minutes.
        exhaustive: Run all operand tuples in any case.
        seed: Seed of the sample.
        jobs: Worker processes of an exhaustive evaluation. If above 1, processes are spawned, so a
            script must guard its main part by ``if __name__ == "__main__"``.
        checkpoint: File of an exhaustive evaluation: it is resumed from this file if it exists, and
            the file is written every few seconds.
        progress: Called with the number of operand tuples done, and of all.

    Raises:
        TaskError: ``bits`` is out of range.
        InvalidValueError: ``samples`` or ``jobs`` is below 1, there are too many tuples to run
            them all, or settings contradict each other.
        CheckpointError: The checkpoint is of another evaluation.
        ModelFileError: The checkpoint is damaged.
        OutputError: The checkpoint cannot be written.
        ProcessError: A worker process ended unexpectedly.

    Example:
        >>> evaluation = evaluate(Model.shipped("add"), bits=8)
        >>> evaluation.mode, evaluation.checked, evaluation.exact
        ('exhaustive', 65536, True)
    """
    task = model.task
    task.check_bits(bits)
    whole = samples is None and bits <= widest_exhaustive(task, EXHAUSTIVE_LIMIT)
    _check(task, bits, samples, exhaustive, jobs, whole or checkpoint is None)
    if not (whole or exhaustive):
        return _sampled(model, bits, samples or _sample_size(model, bits), seed, progress)
    resumed = 0
    if jobs == 1 and checkpoint is None:
        counts = run_exhaustively(model, bits, progress=progress)
    else:
        from seqarith.evaluation.shards import run_shards  # it imports multiprocessing

        counts, resumed = run_shards(
            model, bits, jobs=jobs, checkpoint=checkpoint, progress=progress
        )
    found = _evaluation(model, bits, "exhaustive", counts, Counts(task), count_chains(task, bits))
    return replace(found, comparison=compare_function(task, bits, seed), resumed=resumed)


def widest_exhaustive(task: Task, limit: int) -> int:
    """Return the largest width with at most ``limit`` operand tuples; at least 1."""
    bits = 1
    while task.letters ** (bits + 1) <= limit:
        bits += 1
    return bits


def _sample_size(model: Model, bits: int) -> int:
    """Return how many words of a width are drawn by default."""
    steps = model.task.natural_layout(bits).steps
    return min(SAMPLES, max(FEWEST, WORK // (steps * (model.network.size + STEP_WORK))))


def _check(
    task: Task, bits: int, samples: int | None, exhaustive: bool, jobs: int, resumable: bool
) -> None:
    if samples is not None and samples < 1:
        raise InvalidValueError(f"{samples} samples: expected 1 or more")
    if jobs < 1:
        raise InvalidValueError(f"{jobs} jobs: expected 1 or more")
    if samples is not None and exhaustive:
        raise InvalidValueError("a sample and an exhaustive evaluation: choose one of the two")
    if exhaustive and bits > widest_exhaustive(task, MAX_EXHAUSTIVE):
        raise InvalidValueError(
            f"operands of {bits} digits are more than 2**62 tuples: too many to run them all; "
            "take a sample, or certify"
        )
    if not (exhaustive or resumable):
        raise InvalidValueError("only an exhaustive evaluation has a checkpoint")


def _sampled(
    model: Model, bits: int, count: int, seed: int, progress: Progress | None
) -> Evaluation:
    sampler = Sampler(model.task, bits)
    uniform, directed = Counts(model.task), Counts(model.task)
    chains: Counter[int] = Counter()
    samples = (
        (uniform, sampler.uniform, count, seed),
        (directed, sampler.favouring, max(1, count // 4), [seed, 1]),
    )
    for counts, draw, words, stream in samples:
        drawn = partial(draw, np.random.default_rng(stream))
        for letters in drawn_words(drawn, words, sampler.steps, model.network.hidden):
            run_words(model, letters, counts)
            chains.update(longest_chains(model.task, letters).tolist())
            if progress and counts is uniform:
                progress(counts.words, count)
    found = _evaluation(model, bits, "sampled", uniform, directed, dict(sorted(chains.items())))
    return replace(found, comparison=compare_function(model.task, bits, seed, count))


def _evaluation(
    model: Model,
    bits: int,
    mode: Literal["exhaustive", "sampled"],
    counts: Counts,
    directed: Counts,
    chains: dict[int, int],
) -> Evaluation:
    layout = model.task.natural_layout(bits)
    digits = counts.words * (layout.steps - model.task.first_result_step(layout.steps))
    both = Counts(model.task)
    both.merge(counts)
    both.merge(directed)
    wrong = list(zip(*both.first_wrong, strict=True))  # a column for each operand
    return Evaluation(
        task=model.task.name,
        bits=bits,
        mode=mode,
        checked=counts.words,
        correct=counts.words - counts.wrong_words,
        digits=digits,
        digits_correct=digits - counts.wrong_digits,
        directed=directed.words,
        directed_correct=directed.words - directed.wrong_words,
        min_margin=both.least,
        rounding=model.program.rounding,
        counterexamples=tuple(model.predict(*wrong, digits=bits)) if wrong else (),
        by_chain={length: (words, both.wrong_chains[length]) for length, words in chains.items()},
        chain=chain_name(model.task),
    )
