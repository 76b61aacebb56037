"""One computation, step by step: what the network reads, remembers and says."""

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
"""Steps that a trace keeps."""


@final
@dataclass(frozen=True, eq=False)
class Trace:
    """A word that was run, with all that happened on the way.

    Attributes:
        task: The task.
        operands: The integers.
        predicted: The network's result.
        expected: The right result.
        letters: What was read at each step, shape (T,).
        states: The machine's states, before the first letter and after each, shape (T + 1,);
            None for a task without a machine.
        memory: The network's memory, likewise, shape (T + 1, M).
        hidden: The hidden vectors: the first H numbers of the memory, shape (T + 1, H).
        logits: After each step, shape (T, K).
        emitted: The symbols that the logits decide for, shape (T,).
        due: The right symbols, shape (T,).
        margins: By how much the logits favour the right symbols, shape (T,).
        first: The first step whose output counts; what comes before is thrown away.
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
    due: Numbers
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
        wrong: NDArray[np.bool_] = self.emitted != self.due
        wrong[: self.first] = False
        return wrong

    def __repr__(self) -> str:
        return f"Trace({shortened(self.task.equation(self.operands, self.predicted))})"

    @property
    def correct(self) -> bool:
        """Whether the result is right."""
        return self.predicted == self.expected

    @property
    def min_margin(self) -> float:
        """The smallest margin of the outputs that count."""
        return float(self.margins[self.first :].min())


def trace(model: Model, *operands: int) -> Trace:
    """Run a network on integers of any size and sign and keep every step.

    The numbers are those of `Model.predict`, bit for bit.

    Args:
        model: The model.
        operands: As many integers as the task takes.

    Raises:
        TaskError: Another number of operands than the task has, or more than 2**16 steps.

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
            "gives the result alone"
        )
    said = model.predict(*operands)
    letters = task.encode([[value] for value in operands], layout.steps)
    with np.errstate(over="ignore", invalid="ignore"):
        memory = list(program.memories(letters))
        path, logits = np.concatenate(memory), np.concatenate([*map(program.logits, memory[1:])])
    due = task.expected(letters, [said.expected])[:, 0]
    return Trace(
        task=task,
        operands=said.operands,
        predicted=said.predicted,
        expected=said.expected,
        letters=letters[:, 0],
        states=task.machine.trace(letters)[:, 0] if task.machine else None,
        memory=path,
        hidden=path[:, : model.network.hidden],
        logits=logits,
        emitted=emitted(logits),
        due=due,
        margins=margins(logits, due),
        first=task.first_result_step(layout.steps),
    )
