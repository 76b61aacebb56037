"""Networks as JSON: the cell's name, its options and the sizes; custom cells with their record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seqarith.cells.cell import Cell
from seqarith.cells.declaration import described
from seqarith.cells.recorded import RecordedCell
from seqarith.errors import InvalidValueError, TaskError
from seqarith.network import Network
from seqarith.registry import CELLS
from seqarith.tasks.task import Task


def describe_network(network: Network) -> dict[str, Any]:
    """Return what `build_network` needs, ready for JSON.

    A custom cell is described by its recorded step, so that the network can be run and proved where
    the cell's class is not installed.
    """
    cell = network.cell
    description = {
        "cell": cell.name,
        **cell.describe(),
        "hidden": network.hidden,
        "outputs": network.outputs,
        "dtype": network.dtype,
    }
    # Default values are left out, so that 0.5 can read a network that it could have made.
    optional = {
        "readout_bias": (network.readout_bias, cell.bias),
        "layers": (network.layers, 1),
        "threshold": (network.threshold, 0),
        "inputs": (network.inputs if network.letters is not None else None, None),
    }
    description |= {key: value for key, (value, usual) in optional.items() if value != usual}
    if not is_builtin(cell):
        shapes = cell.shapes(network.sizes, network.layers)
        description["step"] = described(network.step, shapes)
    return description


def is_old(description: Mapping[str, Any]) -> bool:
    """Return whether 0.5 can read the description of a network."""
    later = description.keys() & {"layers", "threshold", "inputs", "step", "readout_bias"}
    known = description["cell"] in ("elman", "gru", "lstm")
    return known and not later and description.get("activation") != "relu"


def is_builtin(cell: Cell) -> bool:
    """Return whether a cell is this package's; a subclass of one may compute anything."""
    return cell.name in CELLS.builtin and type(cell) is CELLS[cell.name]


def build_network(description: Mapping[str, Any], task: Task) -> Network:
    """Return the network of a description that has passed `seqarith.formats.NETWORK`.

    Args:
        description: The description.
        task: The task that it was trained for.

    Raises:
        UnknownNameError: There is no such cell.
        InvalidValueError: A size is out of range, the recorded step is malformed, or an option of
            the cell is missing.
        TaskError: The readout does not fit the task.
    """
    options = dict(description)
    name, dtype = options.pop("cell"), options.pop("dtype")
    hidden, outputs = options.pop("hidden"), options.pop("outputs")
    layers, threshold = options.pop("layers", 1), options.pop("threshold", 0.0)
    readout_bias = options.pop("readout_bias", None)
    inputs, step = options.pop("inputs", None), options.pop("step", None)
    cell = _built_cell(name, options) if step is None else _recorded_cell(name, options, step)
    check_outputs(outputs, task)
    letters = None if inputs is None else task.letters
    sizes = inputs or task.inputs, hidden, outputs
    return Network(cell, *sizes, dtype, readout_bias, layers, threshold, letters)


def _built_cell(name: str, options: Mapping[str, Any]) -> Cell:
    cell: Cell = CELLS.build(name, options)
    # A default would be a guess: with another activation the same weights are another program.
    missing = sorted(cell.describe().keys() - options.keys())
    if missing:
        raise InvalidValueError(f"network lacks {missing[0]!r}, an option of cell {name!r}")
    return cell


def _recorded_cell(name: str, options: Mapping[str, Any], step: Mapping[str, Any]) -> Cell:
    if name in CELLS.builtin:
        raise InvalidValueError(f"cell {name!r} is this package's; a file cannot say what it does")
    operations = tuple(map(tuple, step["operations"]))
    shapes = {key: tuple(shape) for key, shape in step["arrays"]}
    return RecordedCell(name, dict(options), operations, shapes, step["memory"])


def check_outputs(outputs: int, task: Task) -> None:
    """Refuse a readout that cannot emit every symbol: it needs K logits, or one for two symbols.

    Raises:
        TaskError: It cannot.
    """
    if outputs != task.outputs and (outputs, task.outputs) != (1, 2):
        raise TaskError(f"{outputs} outputs for a task of {task.outputs} symbols")
