"""Checks of a cell when a network is built: its name, options, arrays and step.

A cell that passes them can be trained, and can be read from a model file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import is_dataclass
from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING, Any

from seqarith.cells.recording import Operations, Recorder, Sizes, Step, Value, exported_name
from seqarith.cells.steps import INPUT, Shape, StepError, reads
from seqarith.errors import InvalidValueError, SeqarithError
from seqarith.formats import NETWORK
from seqarith.registry import CELLS
from seqarith.strict_json import parse_json
from seqarith.text import shortened

if TYPE_CHECKING:
    from seqarith.cells.cell import Cell

NAME = re.compile("[A-Za-z0-9_.-]{1,80}")
LARGEST_AXIS = 2**16

# Keys of a network in a model file that are options of the cell.
_OPTIONS = {"bias", "activation"}

# The exceptions that Python raises for a mistake in a cell's code.
_MISTAKES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    RuntimeError,
    TypeError,
    ValueError,
)


def called(cell: Cell | type[Cell]) -> str:
    """Return what messages call a cell: its name, or its class if it has no valid name."""
    kind = cell if isinstance(cell, type) else type(cell)
    name = getattr(cell, "name", None)
    named = isinstance(name, str) and NAME.fullmatch(name)
    return f"cell {name!r}" if named else f"cell class {kind.__name__}"


@contextmanager
def mistakes_of(cell: Cell, method: str) -> Iterator[None]:
    """Report a mistake in a method of a cell in one line: the cell, the place and the mistake.

    Raises:
        InvalidValueError: The code in the block raised an exception.
    """
    try:
        yield
    except SeqarithError:
        raise
    except _MISTAKES as error:
        text = str(error) if isinstance(error, StepError) else f"{type(error).__name__}: {error}"
        code = getattr(getattr(type(cell), method), "__code__", None)
        file = getattr(code, "co_filename", "")
        lines = [f.lineno for f in extract_tb(error.__traceback__) if f.filename == file]
        place = f" ({Path(file).name}, line {lines[-1]})" if lines else ""
        raise InvalidValueError(f"{called(cell)}, {method}{place}: {text}") from error


def check_name(kind: str, name: object) -> None:
    """Check that a model file can hold the name of a cell or of an array.

    Raises:
        InvalidValueError: It is not 1 to 80 ASCII letters, digits or any of ``_.-``.
    """
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise InvalidValueError(
            f"{kind} {shortened(repr(name), 60)}: expected a name of 1 to 80 characters, each "
            "one of a-z A-Z 0-9 _ . -"
        )


def check_identity(cell: Cell | type[Cell]) -> None:
    """Check that a cell, or a class of cells, has a free name and is a dataclass.

    Raises:
        InvalidValueError: It does not, or its ``memories`` is not a positive integer.
    """
    kind = cell if isinstance(cell, type) else type(cell)
    if not hasattr(cell, "name"):
        raise InvalidValueError(
            f"cell class {kind.__name__} has no name: write name = {kind.__name__.lower()!r} in it"
        )
    check_name(f"cell class {kind.__name__}: name", cell.name)
    if cell.name in CELLS.builtin and kind is not CELLS[cell.name]:
        raise InvalidValueError(
            f"cell class {kind.__name__}: the name {cell.name!r} is seqarith's own; choose another"
        )
    if not is_dataclass(kind):
        raise InvalidValueError(f"{called(cell)}: write @dataclass(frozen=True) above its class")
    if type(cell.memories) is not int or cell.memories < 1:
        raise InvalidValueError(
            f"{called(cell)}: memories {shortened(repr(cell.memories), 40)}: expected the number "
            "of vectors that it remembers, 1 or more"
        )


def check_options(cell: Cell) -> None:
    """Check that a model file can hold the options of a cell.

    Raises:
        InvalidValueError: It cannot hold one of them.
    """
    with mistakes_of(cell, "describe"):
        options = cell.describe()
    taken = sorted((NETWORK.required.keys() | NETWORK.optional.keys()) - _OPTIONS & options.keys())
    if taken:
        raise InvalidValueError(
            f"{called(cell)}: the network itself has a setting {taken[0]!r}; rename the option"
        )
    if type(cell.bias) is not bool:
        raise InvalidValueError(
            f"{called(cell)}: option bias {shortened(repr(cell.bias), 40)}: expected true or "
            "false; it says whether the readout has a bias, too"
        )
    _check_file(cell, options)


def declared(cell: Cell, sizes: Sizes) -> dict[str, Shape]:
    """Return name and shape of every array of one layer.

    Raises:
        InvalidValueError: A name or a shape is invalid, or two names differ in case alone.
    """
    with mistakes_of(cell, "parameters"):
        shapes = cell.parameters(sizes)
    if not isinstance(shapes, Mapping):
        raise InvalidValueError(
            f"{called(cell)}: `parameters` returns {type(shapes).__name__}; expected a dict of "
            'names and shapes, as {"weight_ih": (sizes.hidden, sizes.inputs)}'
        )
    seen: dict[str, str] = {}
    for name, shape in shapes.items():
        check_name(f"{called(cell)}: array", name)
        other = seen.setdefault(name.lower(), name)
        if other != name:
            raise InvalidValueError(
                f"{called(cell)}: arrays {other!r} and {name!r} differ in case alone; rename one"
            )
        if type(shape) is not tuple or len(shape) not in (1, 2) or not all(map(_is_size, shape)):
            raise InvalidValueError(
                f"{called(cell)}: array {name!r} has shape {shortened(repr(shape), 40)}; expected "
                f"(N,) or (P, N), of integers from 1 to {LARGEST_AXIS}"
            )
    return dict(shapes)


def _is_size(size: Any) -> bool:
    return type(size) is int and 1 <= size <= LARGEST_AXIS


def record(cell: Cell, sizes: Sizes, layers: int, shapes: Mapping[str, Shape]) -> Step:
    """Call a cell's step for every layer and return what was recorded.

    It is recorded twice: if the two records differ, the step is not a function of its arguments.

    Args:
        cell: The cell.
        sizes: Widths of the first layer.
        layers: Number of layers.
        shapes: Shape of every array of the network.

    Raises:
        InvalidValueError: The step cannot be recorded, ignores the input or an array, or is too
            long for a model file.
    """
    step = _recorded(cell, sizes, layers, shapes)
    if step != _recorded(cell, sizes, layers, shapes):
        raise InvalidValueError(
            f"{called(cell)}: its step does something else when it is called again; expected the "
            "same operations every time"
        )
    if INPUT not in reads(step.operations)[-1]:
        raise InvalidValueError(
            f"{called(cell)}: its step ignores the input; expected a memory that depends on x, for "
            'instance by o.linear(x, "weight_ih")'
        )
    for layer in range(layers):
        for name in declared(cell, sizes.of_layer(layer)):
            if exported_name(name, layer) not in step.shapes:
                raise InvalidValueError(
                    f"{called(cell)}: its step ignores the array {name!r}; use it, or take it out "
                    "of `parameters`"
                )
    _check_file(cell, {"step": described(step, cell.shapes(sizes, layers))})
    return step


def _recorded(cell: Cell, sizes: Sizes, layers: int, shapes: Mapping[str, Shape]) -> Step:
    """Record all layers; the last layer's memory comes first, where the readout reads."""
    width = cell.width(sizes.hidden)
    recorder = Recorder(shapes, sizes.inputs, layers * width)
    after, x = list[Value](), recorder.input
    for layer in range(layers):
        place = layers - 1 - layer
        before = recorder.take(recorder.memory, place * width, (place + 1) * width)
        arrays = declared(cell, sizes.of_layer(layer))
        names = {name: exported_name(name, layer) for name in arrays}
        with mistakes_of(cell, "step"):
            found = cell.step(Operations(recorder, names, sizes.hidden, cell.bias), x, before)
            if not isinstance(found, Value):
                kind = type(found).__name__
                raise StepError(f"it returns {kind}; expected a value, as o.join(h, c)")
            recorder.check("return", found)
            if found.width != width:
                raise StepError(f"it returns {found.width} numbers; the memory has {width}")
        after.append(found)
        x = recorder.take(found, 0, sizes.hidden)
    return recorder.finish(after[0] if layers == 1 else recorder.add("join", *reversed(after)))


def described(step: Step, shapes: Mapping[str, Shape]) -> dict[str, Any]:
    """Return a recorded step as a model file holds it, with the arrays of the recurrence."""
    return {
        "operations": [list(operation) for operation in step.operations],
        "arrays": [[name, list(shape)] for name, shape in shapes.items()],
        "memory": step.memory,
    }


def _check_file(cell: Cell, part: Mapping[str, Any]) -> None:
    """Check that a part of a network's description can be read from a file."""
    if cell.name in CELLS.builtin:
        return  # a file holds the name alone
    whole = {"cell": cell.name, "hidden": 1, "outputs": 1, "dtype": "float32", **part}
    try:
        NETWORK.check(parse_json(json.dumps(whole, allow_nan=False)), "")
    except (TypeError, ValueError) as error:
        raise InvalidValueError(f"{called(cell)}: no model file can hold it: {error}") from None
