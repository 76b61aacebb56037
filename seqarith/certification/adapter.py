"""Convert a model to the records of the kernel: its program, and the certificate in its file."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from seqarith.cells.recording import READOUT_BIAS, READOUT_WEIGHT
from seqarith.certification.kernel.certificate import ARRAYS, Certificate
from seqarith.certification.kernel.program import Program
from seqarith.errors import MachineError, ModelFileError, TaskError
from seqarith.machine import MealyMachine, Table
from seqarith.model import Model
from seqarith.network import VECTORS, Network, Parameters
from seqarith.network_description import check_outputs
from seqarith.stored_certificate import StoredCertificate
from seqarith.tasks.task import Task


def from_model(model: Model) -> Program:
    """Return the program that a model's predictions come from.

    Raises:
        TaskError: The task has no finite-state machine, or the readout has too few outputs for its
            symbols.
    """
    return from_parameters(model.task, model.network, model.parameters)


def from_parameters(task: Task, network: Network, parameters: Parameters) -> Program:
    """Return the program of a network that is not a `Model` yet; see `from_model`."""
    machine = reference_machine(task)
    check_outputs(network.outputs, task)
    arrays, step = network.export(parameters), network.step
    zeros = np.zeros(max(network.memory, network.outputs), network.dtype)
    return Program(
        step=step.operations,
        arrays={name: arrays[name] for name in step.shapes},
        inputs=arrays.get(VECTORS, task.vectors.astype(network.dtype)),
        start=zeros[: network.memory],
        readout_weight=arrays[READOUT_WEIGHT],
        readout_bias=arrays.get(READOUT_BIAS, zeros[: network.outputs]),
        threshold=float(np.dtype(network.dtype).type(network.threshold)),
        next_state=machine.next_state,
        output=machine.output,
    )


def check_provable(task: Task) -> MealyMachine:
    """Return the machine of a task.

    Raises:
        TaskError: It has none.
    """
    if task.machine is None:
        raise TaskError(
            f"no finite-state machine computes {task.formula}: nothing about every width can be "
            f"proved of task {task.name!r}. 'seqarith eval' runs it on every case of one width"
        )
    return task.machine


def is_provable(task: Task) -> bool:
    """Return whether a task has a machine."""
    return task.machine is not None


def reference_machine(task: Task) -> MealyMachine:
    """Return the machine that emits the expected digit at every step, starting in state 0.

    It is the task's machine, except that during the task's delay any digit will do. That is encoded
    as one symbol beyond the last.

    Raises:
        TaskError: The task has no machine.
    """
    machine, anything = check_provable(task), max(task.outputs, 2)

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
    """Refuse a renumbered machine that differs from the task's, so `explore` need not be trusted.

    A proof is about the renumbered machine. Both are explored together from their first states.
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


def to_stored(certificate: Certificate) -> StoredCertificate:
    """Return a certificate as a model file stores it."""
    names = [field.name for field in dataclasses.fields(certificate)]
    claims = {name: getattr(certificate, name) for name in names if name not in ARRAYS}
    arrays = {name: np.ascontiguousarray(getattr(certificate, name)) for name in ARRAYS}
    for name in ("states", "successors"):
        arrays[name] = arrays[name].astype(np.int32)
    return StoredCertificate(claims, arrays)


def from_stored(stored: StoredCertificate) -> Certificate:
    """Return the certificate of a model file, unchecked: `check` validates all of it.

    Raises:
        ModelFileError: A field is missing or unknown.
    """
    values: Mapping[str, Any] = {**stored.claims, **stored.arrays}
    names = {field.name for field in dataclasses.fields(Certificate)}
    if values.keys() != names or stored.arrays.keys() != set(ARRAYS):
        wrong = ", ".join(sorted(values.keys() ^ names)) or "a field of the wrong kind"
        raise ModelFileError(f"the certificate does not have the fields of one: {wrong}")
    return Certificate(**values)
