"""From a model to the records of the kernel: its program, and the certificate in its file."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from seqarith.cells.cell import Cell
from seqarith.cells.elman import Elman
from seqarith.certification.certificate import ARRAYS, Certificate
from seqarith.certification.program import FloatArray, Program
from seqarith.errors import MachineError, ModelFileError, TaskError
from seqarith.machine import MealyMachine, Table
from seqarith.model import Model, StoredCertificate, check_outputs
from seqarith.network import Network, Parameters
from seqarith.registry import CELLS
from seqarith.tasks.task import Task


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

    found = MealyMachine.explore(
        (0, machine.initial),
        step,
        np.arange(machine.letters),
        anything + 1,
        lambda node: machine.names[node[1]],
    )
    _require_same(found, machine, task.delay, anything)
    return found


def _require_same(found: MealyMachine, machine: MealyMachine, delay: int, anything: int) -> None:
    """Refuse a renumbered machine that is not the task's, so that `explore` need not be trusted.

    Both are walked side by side from their first states. A proof speaks of the renumbered machine.
    """
    queue = [(found.initial, machine.initial, 0)]
    reached = set(queue)
    for mine, theirs, past in queue:
        wanted = machine.output[theirs] if past == delay else anything
        if (found.output[mine] != wanted).any():
            raise MachineError("the renumbered machine is not the task's; nothing can be proved")
        following = found.next_state[mine].tolist(), machine.next_state[theirs].tolist()
        for pair in set(zip(*following, strict=True)):
            node = (*pair, min(past + 1, delay))
            if node not in reached:
                reached.add(node)
                queue.append(node)


def _machine(task: Task) -> MealyMachine:
    if task.machine is None:
        raise TaskError(
            f"no finite-state machine computes {task.formula}: nothing about every width can be "
            f"proved of task {task.name!r}. 'seqarith eval' runs it on every case of one width"
        )
    return task.machine


def to_stored(certificate: Certificate) -> StoredCertificate:
    """Return what a model file keeps of a certificate."""
    names = [field.name for field in dataclasses.fields(certificate)]
    claims = {name: getattr(certificate, name) for name in names if name not in ARRAYS}
    arrays = {name: np.ascontiguousarray(getattr(certificate, name)) for name in ARRAYS}
    for name in ("states", "successors"):
        arrays[name] = arrays[name].astype(np.int32)
    return StoredCertificate(claims, arrays)


def from_stored(stored: StoredCertificate) -> Certificate:
    """Return the certificate of a model file. Nothing is believed: `check` looks at all of it.

    Raises:
        ModelFileError: A field is missing, or there is one that no certificate has.
    """
    values: Mapping[str, Any] = {**stored.claims, **stored.arrays}
    names = {field.name for field in dataclasses.fields(Certificate)}
    if values.keys() != names or stored.arrays.keys() != set(ARRAYS):
        wrong = ", ".join(sorted(values.keys() ^ names)) or "a field of the wrong kind"
        raise ModelFileError(f"the certificate does not have the fields of one: {wrong}")
    return Certificate(**values)
