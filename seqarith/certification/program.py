"""What is proved: a network's arrays, and the machine that their program must equal.

Shapes, beside those of the package: R regions, N sets handled at once, G generators;
M is the width of a memory.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from seqarith.cells.cell import Cell
from seqarith.cells.elman import Elman
from seqarith.errors import TaskError
from seqarith.machine import MealyMachine, Table
from seqarith.model import Model, check_outputs
from seqarith.network import Network, Parameters
from seqarith.registry import CELLS
from seqarith.tasks.task import Task

FloatArray = NDArray[Any]
IntArray = NDArray[Any]


@final
@dataclass(frozen=True, eq=False)
class Program:
    """A network, the letters that it reads and the machine that it must equal.

    One step reads letter ``a``: the memory becomes what the cell makes of it and of ``inputs[a]``;
    its first H numbers are the hidden vector ``h``. Then
    ``z = h @ readout_weight.T + readout_bias``. With K = 1 the digit is ``z > 0``, otherwise
    ``argmax(z)``. All arithmetic is in the dtype of the arrays, one and the same for all: float32
    or float64. Kernels of this package's cells have the orientation and the gate order of PyTorch:
    ``weight_ih``, ``weight_hh``, ``bias``, which is added to the input's part, and for a GRU
    ``bias_hh`` (H,), which is added to the memory's part of n. A sigmoid is the program
    ``0.5 * tanh(0.5 * x) + 0.5``.

    Args:
        cell: ``"elman"``, ``"gru"``, ``"lstm"``; or ``"module:class"`` of another package.
        options: What else the cell depends on: ``{"activation": "tanh"}``.
        inputs: The vector that stands for each letter, shape (A, D).
        kernels: The cell's arrays by name.
        start: The first memory, shape (M,).
        readout_weight: Shape (K, H).
        readout_bias: Shape (K,).
        next_state: States of the machine, which starts in state 0, shape (Q, A).
        output: The digit that is due when the letter is read in the state, shape (Q, A);
            ``max(K, 2)`` where any digit will do.
        enclosure: What encloses a step of another package's cell; no part of the digest, and not
            looked at for this package's cells.
    """

    cell: str
    options: Mapping[str, Any]
    inputs: FloatArray
    kernels: Mapping[str, FloatArray]
    start: FloatArray
    readout_weight: FloatArray
    readout_bias: FloatArray
    next_state: IntArray
    output: IntArray
    enclosure: Callable[..., Any] | None = None

    @property
    def dtype(self) -> str:
        """The dtype in which the program computes."""
        return str(self.start.dtype)

    @property
    def hidden(self) -> int:
        """Hidden width H."""
        return int(self.readout_weight.shape[1])

    @property
    def memory(self) -> int:
        """Width M of the memory: the dimension of the space that regions are in."""
        return len(self.start)

    @property
    def letters(self) -> int:
        """Number of letters A."""
        return int(self.inputs.shape[0])

    def digest(self) -> str:
        """Return the SHA-256 of cell, options and every array, alike on every platform.

        Indices are hashed as 64-bit integers, all numbers with their low byte first.
        """
        sha = hashlib.sha256(self._title().encode())
        later = ("start", "readout_weight", "readout_bias", "next_state", "output")
        arrays = [("inputs", self.inputs), *self.kernels.items()]
        for name, value in [*arrays, *((name, getattr(self, name)) for name in later)]:
            kind = "<i8" if value.dtype.kind == "i" else value.dtype.newbyteorder("<")
            array = np.ascontiguousarray(value, kind)
            sha.update(f"{name} {array.dtype.str} {array.shape};".encode())
            sha.update(array.tobytes())
        return sha.hexdigest()

    def _title(self) -> str:
        """Return cell and options as text; for an Elman cell as it was before there were others."""
        if self.cell == "elman":
            return f"activation {self.options['activation']};"
        described = [self.cell, dict(self.options), list(self.kernels)]
        return f"cell {json.dumps(described, sort_keys=True)};"


def from_model(model: Model) -> Program:
    """Return the program that a model's predictions come from.

    Raises:
        TaskError: No finite-state machine says what is right, the readout cannot say all symbols
            of the task, or the cell has no enclosure.
    """
    return from_parameters(model.task, model.network, model.parameters)


def from_parameters(task: Task, network: Network, parameters: Parameters) -> Program:
    """Return the program of a network that is no `Model` yet; see `from_model`."""
    check_provable(task, network.cell)
    machine = due(task)
    check_outputs(network.outputs, task)
    arrays = network.export(parameters)
    zeros = np.zeros(max(network.cell.memory(network.hidden), network.outputs), network.dtype)
    readout = {name: arrays.pop(f"readout.{name}", zeros) for name in ("weight", "bias")}
    cell, options, kernels = _recurrence(network, arrays)
    return Program(
        cell=cell,
        options=options,
        inputs=task.vectors.astype(network.dtype),
        kernels=kernels,
        start=zeros[: network.cell.memory(network.hidden)],
        readout_weight=readout["weight"],
        readout_bias=readout["bias"][: network.outputs],
        next_state=machine.next_state,
        output=machine.output,
        enclosure=None if cell in BUILTIN else network.cell.enclosure(),
    )


BUILTIN = ("elman", "gru", "lstm")
"""Cells whose enclosures are this package's."""


def is_builtin(cell: Cell) -> bool:
    """Return whether a cell is one of these; a descendant of one may compute anything."""
    return cell.name in BUILTIN and type(cell) is CELLS[cell.name]


def check_provable(task: Task, cell: Cell) -> None:
    """Refuse a task without a machine, and a cell without an enclosure.

    Raises:
        TaskError: It is one of these.
    """
    _machine(task)
    if not is_provable(task, cell):
        raise TaskError(
            f"cell {cell.name!r} brings no enclosure of its step, so nothing about every width "
            f"can be proved of it. 'seqarith eval' runs it on every case of one width"
        )


def is_provable(task: Task, cell: Cell) -> bool:
    """Return whether `check_provable` takes them."""
    return task.machine is not None and (is_builtin(cell) or cell.enclosure() is not None)


def _recurrence(
    network: Network, arrays: dict[str, FloatArray]
) -> tuple[str, dict[str, Any], dict[str, FloatArray]]:
    """Return name, options and kernels of a network's cell; ``arrays`` are its exported ones."""
    cell = network.cell
    if not is_builtin(cell):
        options = dataclasses.asdict(cell)  # type: ignore[call-overload]
        return f"{type(cell).__module__}:{type(cell).__qualname__}", options, arrays
    weight_ih, weight_hh = arrays["rnn.weight_ih_l0"], arrays["rnn.weight_hh_l0"]
    none = np.zeros(len(weight_hh), network.dtype)
    bias, beside = (arrays.get(f"rnn.bias_{side}_l0", none) for side in ("ih", "hh"))
    kernels = {"weight_ih": weight_ih, "weight_hh": weight_hh}
    if cell.name == "gru":
        # Just as `absorb` adds the biases of r and z: the program itself has one.
        apart = 2 * network.hidden
        summed = np.concatenate((bias[:apart] + beside[:apart], bias[apart:]))
        return "gru", {}, {**kernels, "bias": summed, "bias_hh": beside[apart:]}
    options = {"activation": cell.activation} if isinstance(cell, Elman) else {}
    return cell.name, options, {**kernels, "bias": bias + beside}


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
