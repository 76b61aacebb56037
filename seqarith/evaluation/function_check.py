"""Compare a function with the machine that was learned from it, on operands of one width."""

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
"""Most operand tuples of a width on which the function is always called."""

SAMPLE, FEWEST = 2**12, 16
"""Most and fewest tuples on which it is called otherwise."""

LETTERS = 2**22
"""About how many letters those tuples have: converting wide operands takes long."""


@final
@dataclass(frozen=True)
class Disagreement:
    """Operands for which a function and the machine that was learned from it differ.

    Attributes:
        task: The task, which holds both.
        operands: The operands.
        function: The result of the function, encoded as a result of the task.
        machine: The result of the machine.
    """

    task: Task
    operands: tuple[int, ...]
    function: int
    machine: int

    def __str__(self) -> str:
        operands = shortened(", ".join(map(format_integer, self.operands)), 100)
        results = [shortened(self.task.result_text(v), 60) for v in (self.function, self.machine)]
        return (
            "the machine that was found is not your function: "
            f"{self.task.name}({operands}) is {results[0]}, the machine says {results[1]}"
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
        calls: Number of operand tuples on which the function was called.
        every: Whether those are all tuples of the width.
        disagreement: The smallest tuple on which they differ; None if they agree on all that were
            tried.
        failure: Why the function could not be called on some tuple; empty if it could.
    """

    calls: int
    every: bool
    disagreement: Disagreement | None
    failure: str = ""

    @property
    def agree(self) -> bool:
        """Whether function and machine had the same result for every call."""
        return self.disagreement is None and not self.failure

    def record(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        found = self.disagreement and self.disagreement.record()
        record = {"function_calls": self.calls, "disagreement": found}
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
        seed: Seed of the sample, if not all operands are tried.
        samples: Most tuples to try; default: all if there are at most `EVERY`, else `SAMPLE`, and
            fewer if operands are wide.

    Returns:
        The comparison; None if the task holds no function: a task of the registry, a machine, or a
        task that was loaded from a file.

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
        except TaskError as error:  # a function that fails must not end a training run
            return Comparison(calls, every, None, str(error))
    first = min(found, key=lambda each: each.operands, default=None)
    return Comparison(calls, every, first)


def _differing(task: Task, letters: Letters, signed: bool) -> Iterator[Disagreement]:
    """Yield the smallest operands among words (T, N) on which the two differ, if any."""
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
