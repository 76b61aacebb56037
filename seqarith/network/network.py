"""The shape of a network, and the layouts of its parameters in model files and in training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import final

import numpy as np

from seqarith.cells.cell import Array, Cell
from seqarith.cells.recording import READOUT_BIAS, READOUT_WEIGHT, Sizes, Step
from seqarith.cells.steps import Shape, StepError
from seqarith.cells.tapes.training import READOUT, Training
from seqarith.errors import InvalidValueError
from seqarith.formats import MAX_HIDDEN
from seqarith.network.parameters import Parameters
from seqarith.text import shortened

VECTORS = "input.vectors"
DTYPES = ("float32", "float64")
MAX_LAYERS = 16
MAX_ARRAYS = 120  # an archive has 128 entries; a header and a certificate take 5
MAX_THRESHOLD = 2.0**20
MESSAGE = 280  # characters of an error message that lists names


@final
@dataclass(frozen=True)
class Network:
    """The shape of a network: a cell, its widths and its number format. Holds no parameters.

    logits = W_out h + b_out after every step. With K = 1 the emitted digit is 1 if the logit
    is above the threshold; with K > 1 it is the index of the largest logit.

    Args:
        cell: The recurrence.
        inputs: Input width D.
        hidden: Hidden width H, 1 to 4096.
        outputs: Output width K.
        dtype: ``"float32"`` or ``"float64"``.
        readout_bias: Whether the readout has a bias; by default as the cell.
        layers: Number of layers; each reads the hidden vector of the layer below.
        threshold: The threshold of a single logit.
        letters: Number A of input vectors, if the network has its own in the array
            ``input.vectors``; None: it uses the task's.

    Raises:
        InvalidValueError: A size, dtype, bias or threshold is out of range, or the cell is
            invalid.
    """

    cell: Cell
    inputs: int
    hidden: int
    outputs: int
    dtype: str = "float32"
    readout_bias: bool | None = None
    layers: int = 1
    threshold: float = 0.0
    letters: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.cell, Cell):
            raise InvalidValueError(
                f"cell {shortened(repr(self.cell), 60)}: expected an instance of a class of "
                "seqarith.Cell, as sa.registry.CELLS['gru']() makes"
            )
        if self.readout_bias is None:
            object.__setattr__(self, "readout_bias", self.cell.bias)
        elif type(self.readout_bias) is not bool:
            raise InvalidValueError(f"readout bias {self.readout_bias!r}: expected true or false")
        if not 1 <= self.hidden <= MAX_HIDDEN:
            raise InvalidValueError(f"hidden width {self.hidden}: expected 1 to {MAX_HIDDEN}")
        if not 1 <= self.layers <= MAX_LAYERS:
            raise InvalidValueError(f"layers {self.layers}: expected 1 to {MAX_LAYERS}")
        if self.dtype not in DTYPES:
            raise InvalidValueError(f"dtype {self.dtype!r}: expected {' or '.join(DTYPES)}")
        if not abs(self.threshold) <= MAX_THRESHOLD:
            raise InvalidValueError(
                f"threshold {self.threshold}: expected a number up to {MAX_THRESHOLD:,.0f}"
            )
        if self.threshold and self.outputs != 1:
            raise InvalidValueError(
                f"threshold {self.threshold}: the largest of {self.outputs} logits decides"
            )
        _ = self.step  # checks the cell before anything is trained
        arrays = len(self.exported_shapes())
        if arrays > MAX_ARRAYS:
            raise InvalidValueError(
                f"cell {self.cell.name!r}: {arrays} arrays in all layers; a model file holds at "
                f"most {MAX_ARRAYS}"
            )

    @property
    def sizes(self) -> Sizes:
        """Widths of the first layer."""
        return Sizes(self.inputs, self.hidden, self.outputs)

    @property
    def memory(self) -> int:
        """Width M of the memory; its first H numbers are the hidden vector."""
        return self.cell.width(self.hidden, self.layers)

    @cached_property
    def step(self) -> Step:
        """The recorded step of the whole network.

        Raises:
            InvalidValueError: The cell's step cannot be recorded.
        """
        try:
            return self.cell.record(self.sizes, self.layers, bool(self.readout_bias))
        except StepError as error:
            raise InvalidValueError(f"cell {self.cell.name!r}: {error}") from None

    @cached_property
    def training(self) -> Training:
        """How the recurrence is trained: by hand-written passes if the cell has them."""
        tuned = self.cell.tuned(self.sizes) if self.layers == 1 else None
        if tuned is not None:
            return tuned
        from seqarith.cells.tapes.derived import DerivedTraining

        return DerivedTraining(self.cell, self.sizes, self.layers, self.step)

    def kernels(self) -> dict[str, Shape]:
        """Return the shape of every trained kernel, the readout's last."""
        readout = (self.hidden + bool(self.readout_bias), self.outputs)
        return {**self.training.kernels(), READOUT: readout}

    @property
    def size(self) -> int:
        """Number of trained parameters."""
        return sum(map(prod, self.kernels().values()))

    def trainable(self, leading: Shape = ()) -> Parameters:
        """Return zero kernels, in the layout of training."""
        return Parameters(np.zeros((*leading, self.size), self.dtype), self.kernels())

    def initial(self, rng: np.random.Generator) -> Parameters:
        """Return random kernels; the readout from U(-1/sqrt(H), 1/sqrt(H)), as PyTorch does."""
        kernels = self.trainable()
        self.training.initialise(kernels.arrays, rng)
        readout = kernels.arrays[READOUT]
        bound = self.hidden**-0.5
        readout[...] = rng.uniform(-bound, bound, readout.shape)
        return kernels

    def pack(self, parameters: Parameters) -> Parameters:
        """Return parameters in the layout of training."""
        kernels = self.trainable()
        self.training.pack(parameters.arrays, kernels.arrays)
        readout = kernels.arrays[READOUT]
        readout[: self.hidden] = parameters.arrays[READOUT_WEIGHT].T
        if self.readout_bias:
            readout[self.hidden] = parameters.arrays[READOUT_BIAS]
        return kernels

    def unpack(self, kernels: Parameters, vectors: Array | None = None) -> Parameters:
        """Return parameters in the layout of model files.

        Args:
            kernels: In the layout of training.
            vectors: The input vectors, if the network has its own.
        """
        arrays = self.training.unpack(kernels.arrays)
        readout = kernels.arrays[READOUT]
        arrays[READOUT_WEIGHT] = readout[: self.hidden].T
        if self.readout_bias:
            arrays[READOUT_BIAS] = readout[self.hidden]
        if vectors is not None:
            arrays[VECTORS] = vectors
        return self._filled(arrays)

    def parameters(self) -> Parameters:
        """Return zero parameters, in the layout of model files."""
        shapes = self.exported_shapes()
        return Parameters(np.zeros(sum(map(prod, shapes.values())), self.dtype), shapes)

    def _filled(self, arrays: Mapping[str, Array]) -> Parameters:
        parameters = self.parameters()
        for name, array in parameters.arrays.items():
            array[...] = arrays[name]
        return parameters

    def exported_shapes(self) -> dict[str, Shape]:
        """Return name and shape of every array, as in a model file."""
        shapes = self.cell.shapes(self.sizes, self.layers)
        shapes |= self.cell.readout_shapes(self.sizes, bool(self.readout_bias))
        if self.letters is not None:
            shapes[VECTORS] = (self.letters, self.inputs)
        return shapes

    def export(self, parameters: Parameters) -> dict[str, Array]:
        """Return the parameters under PyTorch's names and in its shapes, as contiguous copies."""
        return {name: np.array(array, order="C") for name, array in parameters.arrays.items()}

    def absorb(self, arrays: Mapping[str, Array]) -> Parameters:
        """Return parameters with the values of arrays: the inverse of `export`.

        Every array is used. Nothing is broadcast, transposed or left out. Values are rounded to the
        network's number format.

        Args:
            arrays: Exactly the arrays of `exported_shapes`, of floats or of integers that the
                network's format holds exactly.

        Raises:
            InvalidValueError: An array is missing or not used, or has another shape, holds no
                numbers, or a value that is not finite in the network's format.
        """
        return self._filled(self._checked(arrays))

    def _checked(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        """Return arrays in the network's number format, after checking names and shapes."""
        shapes = self.exported_shapes()
        surplus = sorted(set(map(str, arrays)) - set(shapes))
        missing = sorted(set(shapes) - set(arrays))
        if surplus or missing:
            wrong = f"array {surplus[0]!r} is not used" if surplus else f"no array {missing[0]!r}"
            raise InvalidValueError(shortened(f"{wrong}: {self._takes(surplus)}", MESSAGE))
        return {name: self._array(name, arrays[name], shape) for name, shape in shapes.items()}

    def _takes(self, surplus: list[str]) -> str:
        """Return a message that says which arrays the network takes."""
        if surplus == ["readout.bias"]:
            return "the readout has no bias; build Network(..., readout_bias=True)"
        return f"a network of cell {self.cell.name!r} takes {', '.join(self.exported_shapes())}"

    def _array(self, name: str, array: Array, shape: Shape) -> Array:
        found = np.asarray(array)
        if found.dtype.kind not in "fiu":
            raise InvalidValueError(f"array {name!r} has dtype {found.dtype}; expected floats")
        if found.shape != shape:
            turned = "; transpose it" if found.shape == shape[::-1] else ""
            raise InvalidValueError(
                f"array {name!r} has shape {found.shape}; expected {shape}{turned}"
            )
        with np.errstate(over="ignore"):
            rounded: Array = found.astype(self.dtype)
        if not np.isfinite(rounded).all():
            raise InvalidValueError(
                f"array {name!r} holds values that are not finite in {self.dtype}"
            )
        if found.dtype.kind != "f" and (rounded != found).any():
            raise InvalidValueError(f"array {name!r} holds integers that {self.dtype} rounds")
        return rounded
