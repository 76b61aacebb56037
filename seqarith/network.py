"""A cell and a linear readout over a word: the only loop over time in the package.

`Unroll` is the training pass (forward and back-propagation through time), `Program` the
inference pass. Both run the same recorded step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from math import prod
from types import MappingProxyType
from typing import Protocol, final

import numpy as np
from numpy.typing import NDArray

from seqarith.cells.activations import Operation, run
from seqarith.cells.cell import Array, Cell
from seqarith.cells.domains.floats import FloatStep
from seqarith.cells.recording import READOUT_BIAS, READOUT_WEIGHT, Sizes, Step
from seqarith.cells.steps import Shape, StepError
from seqarith.cells.tapes.derived import DerivedTraining
from seqarith.cells.tapes.operations import gradient as sum_products
from seqarith.cells.tapes.operations import spread, weighed
from seqarith.cells.tapes.training import Extent, Training
from seqarith.errors import InvalidValueError
from seqarith.text import shortened

READOUT = "readout"
"""The kernel of the readout in training: weight and bias in one."""
VECTORS = "input.vectors"
DTYPES = ("float32", "float64")
MAX_HIDDEN = 4096
MAX_LAYERS = 16
MAX_ARRAYS = 120  # an archive has 128 entries; a header and a certificate take 5
MAX_THRESHOLD = 2.0**20
MESSAGE = 280  # characters of an error message that lists names


@final
@dataclass(frozen=True)
class Network:
    """The shape of a network: a cell, its widths and its number format. Holds no parameters.

    logits = W_out h + b_out after every step. With K = 1 the emitted digit is 1 where the logit
    is above the threshold; with K > 1 it is the number of the largest logit.

    Args:
        cell: The recurrence.
        inputs: Input width D.
        hidden: Hidden width H, 1 to 4096.
        outputs: Output width K.
        dtype: ``"float32"`` or ``"float64"``.
        readout_bias: Whether the readout has a bias; default: as the cell has.
        layers: Layers of the cell, each of which reads the hidden vector of the one below.
        threshold: Where a single logit decides.
        letters: Number of input vectors A where the network brings its own, as the array
            ``input.vectors``; None: they are the task's.

    Raises:
        InvalidValueError: A size, dtype, bias or threshold is out of range, or the cell's step is
            not one.
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
        _ = self.step  # refuses a cell that is not sound before anything is trained
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
            InvalidValueError: The cell's step does what a step cannot do.
        """
        try:
            return self.cell.record(self.sizes, self.layers, bool(self.readout_bias))
        except StepError as error:
            raise InvalidValueError(f"cell {self.cell.name!r}: {error}") from None

    @cached_property
    def training(self) -> Training:
        """What is trained of the recurrence, and how."""
        tuned = self.cell.tuned(self.sizes) if self.layers == 1 else None
        return tuned or DerivedTraining(self.cell, self.sizes, self.layers, self.step)

    def kernels(self) -> dict[str, Shape]:
        """Return the shape of every kernel that is trained, the readout's last."""
        readout = (self.hidden + bool(self.readout_bias), self.outputs)
        return {**self.training.kernels(), READOUT: readout}

    @property
    def size(self) -> int:
        """How many numbers are trained."""
        return sum(map(prod, self.kernels().values()))

    def trainable(self, leading: Shape = ()) -> Parameters:
        """Return kernels that are all zero, in the layout of training."""
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
        """Return the parameters that trained kernels are.

        Args:
            kernels: In the layout of training.
            vectors: The input vectors of a network that brings its own.
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
        """Return parameters that are all zero."""
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
        shapes[READOUT_WEIGHT] = (self.outputs, self.hidden)
        if self.readout_bias:
            shapes[READOUT_BIAS] = (self.outputs,)
        if self.letters is not None:
            shapes[VECTORS] = (self.letters, self.inputs)
        return shapes

    def export(self, parameters: Parameters) -> dict[str, Array]:
        """Return the parameters under PyTorch's names and in its shapes, as contiguous copies."""
        return {name: np.array(array, order="C") for name, array in parameters.arrays.items()}

    def absorb(self, arrays: Mapping[str, Array]) -> Parameters:
        """Return the parameters that arrays hold: the inverse of `export`.

        Every array is used. Nothing is broadcast, transposed or left out. Values are rounded to the
        network's number format.

        Args:
            arrays: Exactly those of `exported_shapes`: floats, or integers that the network's
                format holds exactly.

        Raises:
            InvalidValueError: An array is missing or not used, or has another shape, holds no
                numbers, or a value that is not finite in the network's format.
        """
        return self._filled(self._checked(arrays))

    def _checked(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        """Return arrays in the network's number format, once they are those that it takes."""
        shapes = self.exported_shapes()
        surplus = sorted(set(map(str, arrays)) - set(shapes))
        missing = sorted(set(shapes) - set(arrays))
        if surplus or missing:
            wrong = f"array {surplus[0]!r} is not used" if surplus else f"no array {missing[0]!r}"
            raise InvalidValueError(shortened(f"{wrong}: {self._takes(surplus)}", MESSAGE))
        return {name: self._array(name, arrays[name], shape) for name, shape in shapes.items()}

    def _takes(self, surplus: list[str]) -> str:
        """Return what arrays the network takes, and how it could take one that it does not."""
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


@final
class Parameters:
    """All numbers of a network in one vector, and a view of it for every array.

    One vector lets an optimizer update every parameter with one operation.

    Attributes:
        flat: The vector, shape (..., size).
        arrays: Views of it by name, shapes (..., *shape).

    Args:
        flat: The vector.
        shapes: Of every array, in their order.
        frozen: Whether nobody can change the vector; see `frozen`.
    """

    __slots__ = ("_frozen", "_shapes", "arrays", "flat")
    flat: Array
    arrays: Mapping[str, Array]
    _shapes: Mapping[str, Shape]
    _frozen: bool

    def __init__(self, flat: Array, shapes: Mapping[str, Shape], *, frozen: bool = False) -> None:
        arrays: dict[str, Array] = {}
        start = 0
        for name, shape in shapes.items():
            part = flat[..., start : start + prod(shape)]
            arrays[name] = part.reshape(*flat.shape[:-1], *shape)
            start += prod(shape)
        parts = flat, MappingProxyType(arrays), dict(shapes), frozen
        for attribute, value in zip(("flat", "arrays", "_shapes", "_frozen"), parts, strict=True):
            object.__setattr__(self, attribute, value)

    def __setattr__(self, name: str, value: object) -> None:
        if value is getattr(self, name, None):  # parameters.flat -= ... ends with this
            return
        raise AttributeError(f"parameters keep their arrays: change {name!r} in place")

    def frozen(self) -> Parameters:
        """Return a copy that nobody can change: NumPy lets no one write to the bytes of an array.

        What is frozen already is returned as it is.
        """
        if self._frozen:
            return self
        flat = np.frombuffer(self.flat.tobytes(), self.flat.dtype).reshape(self.flat.shape)
        return Parameters(flat, self._shapes, frozen=True)


Penalty = Callable[[], None]


class Backward(Protocol):
    """The backward pass of `Unroll.forward`."""

    def __call__(self, penalty: Penalty | None = None) -> None: ...


@final
class Unroll:
    """A network unrolled over words of T steps, for training; its buffers are made once.

    Args:
        network: The network.
        parameters: Its kernels; changes to them in place take effect in the next pass.
        gradients: Where the backward pass writes the gradient.
        steps: T.
        batch: B.
        noisy: Whether ``noise`` is added to the hidden vectors.
        penalised: Whether the backward pass may be given a penalty.

    Attributes:
        inputs, noise, clean, hidden_gradient, rest: Those of the `seqarith.cells.cell.Tape`.
        rest_gradient: Likewise; None where there is no rest, or no penalty.
        logits: Shape (..., T * B, K).
        logit_gradient: Same shape.
    """

    def __init__(
        self,
        network: Network,
        parameters: Parameters,
        gradients: Parameters,
        steps: int,
        batch: int,
        noisy: bool = False,
        penalised: bool = False,
    ) -> None:
        leading = parameters.flat.shape[:-1]
        extent = Extent(steps, batch, network.inputs, network.hidden, leading, noisy)
        tape = network.training.tape(parameters.arrays, gradients.arrays, extent)
        width = network.hidden
        readout, gradient = parameters.arrays[READOUT], gradients.arrays[READOUT]
        weight, weight_gradient = readout[..., :width, :], gradient[..., :width, :]
        self._penalised = penalised
        self.inputs, self.noise, self.clean = tape.inputs, tape.noise, tape.clean
        self.rest = tape.rest
        self.rest_gradient = tape.rest_gradient() if penalised and self.rest.size else None
        self.logits = np.empty((*leading, steps * batch, network.outputs), network.dtype)
        self.logit_gradient = np.empty_like(self.logits)
        by_step = (*leading, steps, batch, network.outputs)
        by_weight = np.swapaxes(weight, -1, -2)[..., None, :, :]
        shown, wanted = (
            np.swapaxes(logits.reshape(by_step), -1, -2)
            for logits in (self.logits, self.logit_gradient)
        )
        # The two passes, written out once; this is the only loop over time in training.
        self._forward = [operation for t in range(steps) for operation in tape.step(t)]
        self._forward.append(partial(np.matmul, by_weight, tape.hidden, shown))
        self._back_to_hidden: list[Operation] = [
            *tape.clear(),
            *sum_products(tape.hidden, wanted, weight_gradient),
            *(
                [spread(weight, wanted, tape.hidden_gradient)]
                if penalised
                else tape.read_out(weight, wanted)
            ),
        ]
        self.hidden_gradient = tape.hidden_gradient
        self._back = [
            *(operation for t in reversed(range(steps)) for operation in tape.step_back(t)),
            *tape.finish(),
        ]
        if network.readout_bias:
            bias, bias_gradient = readout[..., width:, :], gradient[..., width:, :]
            self._forward.append(partial(np.add, self.logits, bias, self.logits))
            total = partial(np.add.reduce, axis=-2, keepdims=True, out=bias_gradient)
            # Before the tape's, which adds to it where the step reads the logits.
            self._back_to_hidden.append(partial(total, self.logit_gradient))

    def forward(self) -> tuple[Array, Backward]:
        """Run the network on ``inputs``, which the caller has written, shape (..., T, B, D).

        Returns:
            The logits, shape (..., T * B, K), and a function that writes the gradient of every
            parameter, once the caller has written the derivative of the loss by the logits into
            ``logit_gradient``. If the pass is penalised it takes a function that adds to
            ``hidden_gradient`` the derivative of what else is asked of the hidden vectors. All
            these buffers are used again by the next call.
        """
        run(self._forward)
        return self.logits, self._backward

    def _backward(self, penalty: Penalty | None = None) -> None:
        run(self._back_to_hidden)
        if penalty:
            if not self._penalised:
                raise InvalidValueError(
                    "a penalty for a pass that was not made with penalised=True"
                )
            penalty()
        run(self._back)


@final
class Program:
    """A trained network as it is used: letters in, logits out.

    Args:
        network: The network.
        parameters: Its parameters; those of a `Model` are frozen.
        vectors: The input vector of every letter, shape (A, D).
    """

    def __init__(self, network: Network, parameters: Parameters, vectors: Array) -> None:
        self.network = network
        arrays = parameters.arrays
        vectors = arrays.get(VECTORS, vectors.astype(network.dtype, copy=False))
        with np.errstate(over="ignore", invalid="ignore"):  # as in `seqarith.execution.emit`
            self._step = FloatStep(network.step, arrays, vectors)
        self._weight = np.ascontiguousarray(arrays[READOUT_WEIGHT].T)
        bias = arrays[READOUT_BIAS] if network.readout_bias else None
        # Where the threshold is 0, as mostly, the logits are what the readout says.
        self._threshold = np.array(network.threshold, network.dtype)
        self._bias = bias

    @property
    def rounding(self) -> float:
        """Bound of the rounding of a logit, for hidden vectors in [-1, 1] taken as exact."""
        with np.errstate(over="ignore"):  # infinity: then rounding decides everything
            terms = np.abs(self._weight.astype(np.float64)).sum(axis=0)
            if self._bias is not None:
                terms = terms + np.abs(self._bias)
        unit = float(np.finfo(self.network.dtype).eps) / 2
        return 2 * (self.network.hidden + 1) * unit * float(terms.max())

    def start(self, count: int) -> Array:
        """Return the memories before the first letter, shape (N, M)."""
        return np.zeros((self.network.memory, count), self.network.dtype).T

    def step(self, memory: Array, letters: NDArray[np.intp]) -> Array:
        """Return the memories (N, M) after one letter each, shape (N,)."""
        return self._step.step(memory, letters)

    def branch(self, memory: Array, letters: Iterable[int]) -> Iterator[Array]:
        """Yield the memories (N, M) after each of some letters.

        What depends on the memory alone is computed once for all letters.
        """
        return self._step.branch(memory, letters)

    def logits(self, memory: Array) -> Array:
        """Return the logits (N, K) that memories (N, M) are read out to, above the threshold."""
        logits = weighed(memory[..., : self.network.hidden], self._weight)
        logits = logits if self._bias is None else logits + self._bias
        return logits - self._threshold if self._threshold else logits

    def memories(self, letters: NDArray[np.intp]) -> Iterator[Array]:
        """Yield the memories (N, M) of words (T, N) before the first letter and after each."""
        memory = self.start(letters.shape[1])
        yield memory
        for letter in letters:
            memory = self.step(memory, letter)
            yield memory

    def run(self, letters: NDArray[np.intp]) -> Iterator[Array]:
        """Yield the logits (N, K) after every step of words, shape (T, N), in constant memory."""
        memories = self.memories(letters)
        next(memories)
        return map(self.logits, memories)


def emitted(logits: Array) -> NDArray[np.intp]:
    """Return the symbols that logits (..., K) decide for, shape (...)."""
    if logits.shape[-1] == 1:
        return (logits[..., 0] > 0).astype(np.intp)
    largest: NDArray[np.intp] = logits.argmax(axis=-1)
    return largest


def margins(logits: Array, symbols: NDArray[np.intp]) -> Array:
    """Return by how much logits (..., K) favour given symbols (...): negative where they do not.

    For K = 1 the logit itself, with the sign of the digit; for K > 1 the distance to the best
    other logit.
    """
    if logits.shape[-1] == 1:
        margin: Array = np.where(symbols == 1, logits[..., 0], -logits[..., 0])
        return margin
    chosen = symbols[..., None]
    right = np.take_along_axis(logits, chosen, axis=-1)[..., 0]
    others = logits.copy()
    np.put_along_axis(others, chosen, -np.inf, axis=-1)
    distance: Array = right - others.max(axis=-1)
    return distance
