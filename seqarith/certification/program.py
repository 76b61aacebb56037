"""What is proved: a network's arrays, and the machine that their program must equal.

Shapes, beside those of the package: R regions, N sets handled at once, G generators.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from seqarith.cells.cell import Cell
from seqarith.cells.elman import Elman
from seqarith.errors import TaskError
from seqarith.machine import MealyMachine, Table
from seqarith.model import Model, check_outputs
from seqarith.network import Network, Parameters
from seqarith.tasks.task import Task

FloatArray = NDArray[Any]
IntArray = NDArray[Any]


@final
@dataclass(frozen=True, eq=False)
class Program:
    """An Elman network, the letters that it reads and the machine that it must equal.

    One step reads letter ``a``: ``h' = f(inputs[a] @ weight_ih.T + bias + h @ weight_hh.T)``, then
    ``z = h' @ readout_weight.T + readout_bias``. With K = 1 the digit is ``z > 0``, otherwise
    ``argmax(z)``. The sigmoid is the program ``0.5 * tanh(0.5 * x) + 0.5``. All arithmetic is in
    the dtype of the arrays, one and the same for all: float32 or float64.

    Args:
        activation: ``"tanh"`` or ``"sigmoid"``.
        inputs: The vector that stands for each letter, shape (A, D).
        weight_ih: Shape (H, D).
        weight_hh: Shape (H, H).
        bias: Shape (H,).
        start: The first hidden vector, shape (H,).
        readout_weight: Shape (K, H).
        readout_bias: Shape (K,).
        next_state: States of the machine, which starts in state 0, shape (Q, A).
        output: The digit that is due when the letter is read in the state, shape (Q, A);
            ``max(K, 2)`` where any digit will do.
    """

    activation: str
    inputs: FloatArray
    weight_ih: FloatArray
    weight_hh: FloatArray
    bias: FloatArray
    start: FloatArray
    readout_weight: FloatArray
    readout_bias: FloatArray
    next_state: IntArray
    output: IntArray

    @property
    def dtype(self) -> str:
        """The dtype in which the program computes."""
        return str(self.weight_hh.dtype)

    @property
    def hidden(self) -> int:
        """Hidden width H."""
        return int(self.weight_hh.shape[0])

    @property
    def letters(self) -> int:
        """Number of letters A."""
        return int(self.inputs.shape[0])

    def digest(self) -> str:
        """Return the SHA-256 of every field with its dtype and shape, alike on every platform.

        Indices are hashed as 64-bit integers, all numbers with their low byte first.
        """
        sha = hashlib.sha256()
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                kind = "<i8" if value.dtype.kind == "i" else value.dtype.newbyteorder("<")
                array = np.ascontiguousarray(value, kind)
                sha.update(f"{field.name} {array.dtype.str} {array.shape};".encode())
                sha.update(array.tobytes())
            else:
                sha.update(f"{field.name} {value};".encode())
        return sha.hexdigest()


def from_model(model: Model) -> Program:
    """Return the program that a model's predictions come from.

    Raises:
        TaskError: No finite-state machine says what is right, the readout cannot say all symbols
            of the task, or the cell has no enclosure yet.
    """
    return from_parameters(model.task, model.network, model.parameters)


def from_parameters(task: Task, network: Network, parameters: Parameters) -> Program:
    """Return the program of a network that is no `Model` yet; see `from_model`."""
    check_provable(task, network.cell)
    assert isinstance(network.cell, Elman)
    machine = due(task)
    check_outputs(network.outputs, task)
    arrays = network.export(parameters)
    zeros = np.zeros(max(network.hidden, network.outputs), network.dtype)
    bias = zeros[: network.hidden]
    if network.cell.bias:
        # Just as `Elman.absorb` adds them: the program itself has one bias.
        bias = arrays["rnn.bias_ih_l0"] + arrays["rnn.bias_hh_l0"]
    return Program(
        activation=network.cell.activation,
        inputs=task.vectors.astype(network.dtype),
        weight_ih=arrays["rnn.weight_ih_l0"],
        weight_hh=arrays["rnn.weight_hh_l0"],
        bias=bias,
        start=zeros[: network.hidden],
        readout_weight=arrays["readout.weight"],
        readout_bias=arrays.get("readout.bias", zeros[: network.outputs]),
        next_state=machine.next_state,
        output=machine.output,
    )


def check_provable(task: Task, cell: Cell) -> None:
    """Refuse a task without a machine, and a cell without an enclosure.

    Raises:
        TaskError: It is one of these.
    """
    _machine(task)
    if type(cell) is not Elman:  # a descendant of it may compute anything
        raise TaskError(f"cell {cell.name!r}: only networks of Elman cells can be proved so far")


def is_provable(task: Task, cell: Cell) -> bool:
    """Return whether `check_provable` takes them."""
    return task.machine is not None and type(cell) is Elman


def due(task: Task) -> MealyMachine:
    """Return the machine that says which digit is due at every step, from state 0.

    It is the task's machine; while the task's delay lasts any digit will do, which is written as
    one symbol more than there are.

    Raises:
        TaskError: The task has no machine.
    """
    machine, anything = _machine(task), max(task.outputs, 2)

    def step(node: tuple[int, int], letters: Table) -> tuple[list[tuple[int, int]], Table]:
        past, state = node
        later = min(past + 1, task.delay)
        symbols = machine.output[state] if past == task.delay else np.full_like(letters, anything)
        return [(later, q) for q in machine.next_state[state].tolist()], symbols

    return MealyMachine.explore(
        (0, machine.initial),
        step,
        np.arange(machine.letters),
        anything + 1,
        lambda node: machine.names[node[1]],
    )


def _machine(task: Task) -> MealyMachine:
    if task.machine is None:
        raise TaskError(
            f"no finite-state machine computes {task.formula}: nothing about every width can be "
            f"proved of task {task.name!r}. 'seqarith eval' runs it on every case of one width"
        )
    return task.machine
