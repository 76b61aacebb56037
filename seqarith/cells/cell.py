"""The contract of a cell: its parameters, and one step written in a few operations.

Shapes here and in all of the package: T steps, B batch, D input width, H hidden width, K output
width, A letters, Q machine states, M width of the memory. Arrays are time first. Training arrays
may carry a leading axis S of networks that are trained side by side, written ``...``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from seqarith.cells.declaration import (
    check_identity,
    check_name,
    check_options,
    declared,
    record,
)
from seqarith.cells.recording import (
    READOUT_BIAS,
    READOUT_WEIGHT,
    Operations,
    Sizes,
    Step,
    Value,
    exported_name,
)
from seqarith.cells.steps import ACTIVATIONS, Shape
from seqarith.errors import InvalidValueError
from seqarith.registry import unknown

if TYPE_CHECKING:
    from seqarith.cells.tapes.training import Training

Array = NDArray[np.floating[Any]]
Arrays = Mapping[str, Array]

INPUT_SCALE = 4.0
"""Factor of the initial input weights over PyTorch's: digits are few and small."""


class Cell(ABC):
    """One recurrence: next memory = step(input vector, memory).

    A cell is a frozen dataclass of options, without numbers. `parameters` names its arrays and
    `step` computes with them. Everything else follows from the two: see `seqarith.cells.steps`.

    Attributes:
        name: The name of the cell in settings and files.
        memories: Vectors of width H in the memory, the hidden vector first: 2 for an LSTM.
        feeds_back: Whether the logits are its only memory. Then two symbols need two logits.
        bias: Whether the readout has a bias by default.

    Example:
        >>> from dataclasses import dataclass
        >>> @dataclass(frozen=True)
        ... class Plain(Cell):
        ...     name = "plain"
        ...
        ...     def parameters(self, sizes):
        ...         hidden = sizes.hidden
        ...         return {"weight_ih": (hidden, sizes.inputs), "weight_hh": (hidden, hidden)}
        ...
        ...     def step(self, o, x, h):
        ...         return o.tanh(o.linear(x, "weight_ih") + o.linear(h, "weight_hh"))
        >>> Plain().record(Sizes(inputs=2, hidden=3, outputs=1)).operations[-1]
        ('tanh', 4)
    """

    name: ClassVar[str]
    memories: ClassVar[int] = 1
    feeds_back: ClassVar[bool] = False
    bias: bool = True

    @abstractmethod
    def parameters(self, sizes: Sizes) -> dict[str, Shape]:
        """Return name and shape of every array of one layer, for instance ``"weight_ih"``.

        The model file names it ``rnn.weight_ih_l0`` for the first layer, and so on.
        """

    @abstractmethod
    def step(self, o: Operations, x: Value, memory: Value) -> Value:
        """Return the memory after a step.

        It is called once per layer, and its operations are recorded.

        Args:
            o: The operations; they take arrays by the names in `parameters`.
            x: The input vector of a letter, or the hidden vector of the layer below.
            memory: The memory before the step.
        """

    def initialise(self, arrays: Arrays, sizes: Sizes, rng: np.random.Generator) -> None:
        """Draw the initial value of every array of one layer, in place.

        From U(-1/sqrt(H), 1/sqrt(H)) as PyTorch does; the weights of the input, ``weight_i...``,
        are 4 times larger, since inputs are few and small. Override it for other initial values.

        Args:
            arrays: By the names in `parameters`.
            sizes: Widths of the layer.
            rng: The random generator.
        """
        for name, array in arrays.items():
            bound = sizes.hidden**-0.5 * (INPUT_SCALE if name.startswith("weight_i") else 1)
            array[...] = rng.uniform(-bound, bound, array.shape)

    def tuned(self, sizes: Sizes) -> Training | None:
        """Return the training of one layer if it is written by hand.

        None: it is derived from the step, see `seqarith.cells.tapes.derived`.
        """
        return None

    def describe(self) -> dict[str, Any]:
        """Return the options, ready for JSON."""
        return asdict(self)  # type: ignore[call-overload, no-any-return]

    def shapes(self, sizes: Sizes, layers: int = 1) -> dict[str, Shape]:
        """Return name and shape of every array in a model file, without the readout's."""
        found: dict[str, Shape] = {}
        for layer in range(layers):
            for name, shape in declared(self, sizes.of_layer(layer)).items():
                found[exported_name(name, layer)] = shape
        return found

    def record(self, sizes: Sizes, layers: int = 1, readout_bias: bool = True) -> Step:
        """Return the recorded step of a network of this cell.

        Raises:
            InvalidValueError: A declaration of the cell is invalid, or `step` cannot be recorded.
        """
        check_identity(self)
        check_options(self)
        shapes = self.shapes(sizes, layers) | self.readout_shapes(sizes, readout_bias)
        return record(self, sizes, layers, shapes)

    @staticmethod
    def readout_shapes(sizes: Sizes, bias: bool) -> dict[str, Shape]:
        """Return name and shape of the readout's arrays, which a step may also read."""
        shapes: dict[str, Shape] = {READOUT_WEIGHT: (sizes.outputs, sizes.hidden)}
        return shapes | ({READOUT_BIAS: (sizes.outputs,)} if bias else {})

    def width(self, hidden: int, layers: int = 1) -> int:
        """Return the width M of the memory; its first H numbers are the last hidden vector."""
        return layers * self.memories * hidden


def check_entry(name: str, entry: object) -> None:
    """Check that an entry is a cell class of that name, or a function that makes such a cell.

    Raises:
        InvalidValueError: It is neither, or its class is invalid.
    """
    check_name("cell", name)
    if not isinstance(entry, type):
        if not callable(entry):
            raise InvalidValueError(
                f"cell {name!r} is {type(entry).__name__}; expected a class of seqarith.Cell"
            )
        return
    if not issubclass(entry, Cell):
        raise InvalidValueError(
            f"cell {name!r} is the class {entry.__name__}; expected a class of seqarith.Cell"
        )
    check_identity(entry)
    if entry.name != name:
        raise InvalidValueError(
            f"cell {name!r}: its class {entry.__name__} has the name {entry.name!r}; expected the "
            "same name in both places"
        )


def pytorch_parameters(blocks: int, sizes: Sizes, bias: bool) -> dict[str, Shape]:
    """Return the arrays of PyTorch's RNN, GRU or LSTM: blocks of H rows, one for each gate."""
    rows = blocks * sizes.hidden
    shapes: dict[str, Shape] = {
        "weight_ih": (rows, sizes.inputs),
        "weight_hh": (rows, sizes.hidden),
    }
    return shapes | ({"bias_ih": (rows,), "bias_hh": (rows,)} if bias else {})


def check_activation(name: str) -> None:
    """Check the name of an activation.

    Raises:
        InvalidValueError: The name is unknown.
    """
    if name not in ACTIVATIONS:
        raise InvalidValueError(unknown("activation", name, list(ACTIVATIONS)))


def check_flag(option: str, value: object) -> None:
    """Check an option that is true or false.

    Raises:
        InvalidValueError: The value is not a bool.
    """
    if type(value) is not bool:
        raise InvalidValueError(f"{option} {value!r}: expected true or false")
