"""Compares a function with the machine that was found in it, on operands of one width."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, final

import numpy as np

from seqarith.digits import format_integer
from seqarith.errors import TaskError
from seqarith.evaluation.words import drawn_words, every_word
from seqarith.tasks.sampling import Sampler
from seqarith.tasks.task import Letters, Task
from seqarith.text import shortened

EVERY = 2**16
"""Operand tuples of a width up to which the function is called on all of them."""

SAMPLE, FEWEST = 2**12, 16
"""Tuples on which it is called otherwise, at most and at least."""

LETTERS = 2**22
"""Letters of all those tuples together, about: wide operands take long to write and to read."""


@final
@dataclass(frozen=True)
class Disagreement:
    """Operands for which a function and the machine that was found in it differ.

    Attributes:
        task: The task: it holds both.
        operands: The operands.
        function: What the function returns, as the task writes results.
        machine: What the machine computes.
    """

    task: Task
    operands: tuple[int, ...]
    function: int
    machine: int

    def __str__(self) -> str:
        operands = shortened(", ".join(map(format_integer, self.operands)), 100)
        said = [shortened(self.task.result_text(v), 60) for v in (self.function, self.machine)]
        return (
            "the machine that was found is not your function: "
            f"{self.task.name}({operands}) is {said[0]}, the machine says {said[1]}"
        )

    def record(self) -> dict[str, Any]:
        """Return it ready for JSON; integers as text, since they may have any size."""
        return {
            "operands": [format_integer(value) for value in self.operands],
            "function": self.task.result_text(self.function),
            "machine": self.task.result_text(self.machine),
        }


@final
@dataclass(frozen=True)
class Comparison:
    """How a function and its machine compare at one width.

    Attributes:
        calls: Operand tuples on which the function was called.
        every: Whether those are all of the width.
        disagreement: The first tuple on which they differ, in the order of the operands; None
            where they agree on all that were tried.
        failure: Why the function could not be called on all of them; empty where it could.
    """

    calls: int
    every: bool
    disagreement: Disagreement | None
    failure: str = ""

    @property
    def agree(self) -> bool:
        """Whether the function returned what its machine computes wherever it was called."""
        return self.disagreement is None and not self.failure

    def record(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        found = self.disagreement
        record = {
            "function_calls": self.calls,
            "disagreement": None if found is None else found.record(),
        }
        return record | ({"function_failure": self.failure} if self.failure else {})

    def __str__(self) -> str:
        if self.disagreement is not None:
            return str(self.disagreement)
        if self.failure:
            return f"your function was not compared with its machine: {self.failure}"
        tried = f"all {self.calls:,}" if self.every else f"{self.calls:,} random"
        return f"your function and that machine agree on {tried} operands"


def compare_function(
    task: Task, bits: int, seed: int = 0, samples: int | None = None
) -> Comparison | None:
    """Call the function of a task and run its machine on the same operands.

    Args:
        task: The task.
        bits: Digits of each operand.
        seed: Of the sample, where not all operands are tried.
        samples: Try so many at most; default: all where those are at most `EVERY`, else `SAMPLE`,
            and fewer of wide operands.

    Returns:
        None where the task has no function at hand: a task of the registry, a machine, or a task
        that was loaded from a file.

    Raises:
        TaskError: ``bits`` is out of range.
    """
    if task.function is None or task.machine is None:
        return None
    every = task.letters**bits <= EVERY and samples is None
    calls, found = 0, list[Disagreement]()
    signed = task.natural_layout(bits).signed
    most = SAMPLE if samples is None else min(samples, SAMPLE)
    for letters in every_word(task, bits) if every else _drawn_words(task, bits, seed, most):
        calls += letters.shape[1]
        try:
            found += _differing(task, letters, signed)
        except TaskError as error:  # the function fails; what was trained is not lost for it
            return Comparison(calls, every, None, str(error))
    first = min(found, key=lambda each: each.operands, default=None)
    return Comparison(calls, every, first)


def _differing(task: Task, letters: Letters, signed: bool) -> Iterator[Disagreement]:
    """Yield the smallest operands among words (T, N) on which the two differ, if there are any."""
    assert task.function is not None
    columns = task.operands_of(letters)
    machine = task.decode(task.expected(letters), signed)
    tuples = sorted(zip(*columns, machine, strict=True))
    for *operands, computed in tuples:
        result = task.function(*operands)
        if result != computed:
            yield Disagreement(task, tuple(operands), result, computed)
            return


def _drawn_words(task: Task, bits: int, seed: int, most: int) -> Iterator[Letters]:
    sampler, rng = Sampler(task, bits), np.random.default_rng([seed, 2])
    count = max(min(most, FEWEST), min(most, LETTERS // sampler.steps))
    yield from drawn_words(partial(sampler.draw, rng), count, sampler.steps, 1)
