"""Run one computation and record every step: letters, states, memory, logits, outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from seqarith.cells.cell import Array
from seqarith.errors import TaskError
from seqarith.model import Model
from seqarith.network import emitted, margins
from seqarith.tasks.task import Task
from seqarith.text import shortened

Numbers = NDArray[np.intp]
MAX_STEPS = 2**16
"""Most steps of a trace."""


@final
@dataclass(frozen=True, eq=False)
class Trace:
    """A computation of a network, step by step.

    Attributes:
        task: The task.
        operands: The integers.
        predicted: The network's result.
        expected: The correct result.
        letters: The letter read at each step, shape (T,).
        states: The machine's states, before the first letter and after each, shape (T + 1,);
            None for a task without a machine.
        memory: The network's memory at the same times, shape (T + 1, M).
        hidden: The hidden vectors: the first H numbers of the memory, shape (T + 1, H).
        logits: The logits after each step, shape (T, K).
        emitted: The emitted symbols, shape (T,).
        expected_symbols: The correct symbols, shape (T,).
        margins: By how much the logits favour the correct symbols, shape (T,).
        first: The first step whose output counts; earlier outputs are ignored.
    """

    task: Task
    operands: tuple[int, ...]
    predicted: int
    expected: int
    letters: Numbers
    states: Numbers | None
    memory: Array
    hidden: Array
    logits: Array
    emitted: Numbers
    expected_symbols: Numbers
    margins: Array
    first: int

    @property
    def steps(self) -> int:
        """Number of steps T."""
        return len(self.letters)

    @property
    def digits(self) -> Numbers:
        """The digit of every operand at every step, shape (operands, T)."""
        return self.task.digits[:, self.letters].astype(np.intp)

    @property
    def wrong(self) -> NDArray[np.bool_]:
        """Whether the output of a step counts and is wrong, shape (T,)."""
        wrong: NDArray[np.bool_] = self.emitted != self.expected_symbols
        wrong[: self.first] = False
        return wrong

    def __repr__(self) -> str:
        return f"Trace({shortened(self.task.equation(self.operands, self.predicted))})"

    @property
    def correct(self) -> bool:
        """Whether the result is correct."""
        return self.predicted == self.expected

    @property
    def min_margin(self) -> float:
        """The smallest margin of the outputs that count."""
        return float(self.margins[self.first :].min())


def trace(model: Model, *operands: int) -> Trace:
    """Run a network on integers of any size and sign and keep every step.

    The result is that of `Model.predict`, and the logits are equal bit for bit.

    Args:
        model: The model.
        operands: As many integers as the task takes.

    Raises:
        TaskError: The number of operands is wrong, or there are more than 2**16 steps.

    Example:
        >>> steps = trace(Model.shipped("add"), 3, 1)
        >>> steps.digits.tolist(), steps.states.tolist(), steps.emitted.tolist()
        ([[1, 1, 0], [1, 0, 0]], [0, 1, 1, 0], [0, 0, 1])
    """
    task, program = model.task, model.program
    layout = model.layout(operands)
    if layout.steps > MAX_STEPS:
        raise TaskError(
            f"a trace of {layout.steps} steps: at most {MAX_STEPS} are kept; 'seqarith predict' "
            "gives only the result"
        )
    found = model.predict(*operands)
    letters = task.encode([[value] for value in operands], layout.steps)
    with np.errstate(over="ignore", invalid="ignore"):
        memory = list(program.memories(letters))
        path, logits = np.concatenate(memory), np.concatenate([*map(program.logits, memory[1:])])
    expected = task.expected(letters, [found.expected])[:, 0]
    return Trace(
        task=task,
        operands=found.operands,
        predicted=found.predicted,
        expected=found.expected,
        letters=letters[:, 0],
        states=task.machine.trace(letters)[:, 0] if task.machine else None,
        memory=path,
        hidden=path[:, : model.network.hidden],
        logits=logits,
        emitted=emitted(logits),
        expected_symbols=expected,
        margins=margins(logits, expected),
        first=task.first_result_step(layout.steps),
    )
