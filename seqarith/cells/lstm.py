"""The LSTM cell: a memory cell behind gates, beside the hidden vector."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from seqarith.cells.activations import Operation, activation, run
from seqarith.cells.cell import Array, Arrays, Cell, Extent, Shape, Tape, product
from seqarith.errors import InvalidValueError

KERNEL = "rnn"
INPUT_SCALE = 4.0
GATES = 4
COLUMNS = (3, 0, 1, 2)
"""PyTorch's gates i, f, g, o in the order of the kernel's columns: o, i, f, g."""


@final
@dataclass(frozen=True)
class LSTM(Cell):
    """c' = f * c + i * g, h' = o * tanh(c').

    The gates i, f, o are sigmoids and g is a tanh of ``W_ih x + W_hh h + b``, each with rows of its
    own. The memory is [h, c]. The kernel is one array, shape (D + H + 1, 4 H): rows for the input,
    for the hidden vector and the bias, a block of columns for each of o, i, f, g. PyTorch's two
    biases only ever act as their sum, which the file holds as ``bias_ih_l0``.

    Args:
        bias: Whether there is b.

    Raises:
        InvalidValueError: A bias that is no truth value.

    Source: S. Hochreiter and J. Schmidhuber, Long Short-Term Memory (1997), with the forget gate of
        F. A. Gers, J. Schmidhuber and F. Cummins, Learning to Forget (2000).
    """

    bias: bool = True

    name: ClassVar[str] = "lstm"

    def __post_init__(self) -> None:
        if type(self.bias) is not bool:
            raise InvalidValueError(f"bias {self.bias!r}: expected true or false")

    def kernels(self, inputs: int, hidden: int) -> dict[str, Shape]:
        return {KERNEL: (inputs + hidden + self.bias, GATES * hidden)}

    def initialise(self, kernels: Arrays, rng: np.random.Generator) -> None:
        """Draw from U(-1/sqrt(H), 1/sqrt(H)) as PyTorch does; the input's weights 4 times larger.

        Digits are 0 and 1, and few; see `Elman.initialise`.
        """
        kernel = kernels[KERNEL]
        bound = (kernel.shape[-1] // GATES) ** -0.5
        kernel[...] = rng.uniform(-bound, bound, kernel.shape)
        self._parts(kernel)[0][...] *= INPUT_SCALE

    def exported_shapes(self, inputs: int, hidden: int) -> dict[str, Shape]:
        width = GATES * hidden
        shapes: dict[str, Shape] = {
            "rnn.weight_ih_l0": (width, inputs),
            "rnn.weight_hh_l0": (width, hidden),
        }
        if self.bias:
            shapes |= {"rnn.bias_ih_l0": (width,), "rnn.bias_hh_l0": (width,)}
        return shapes

    def export(self, kernels: Arrays) -> dict[str, Array]:
        from_input, from_hidden, bias = self._parts(_ordered(kernels[KERNEL], np.argsort(COLUMNS)))
        arrays = {"rnn.weight_ih_l0": from_input.T, "rnn.weight_hh_l0": from_hidden.T}
        if self.bias:
            arrays |= {"rnn.bias_ih_l0": bias[0], "rnn.bias_hh_l0": np.zeros_like(bias[0])}
        return arrays

    def absorb(self, kernels: Arrays, exported: Arrays) -> None:
        rows = [exported["rnn.weight_ih_l0"].T, exported["rnn.weight_hh_l0"].T]
        if self.bias:
            rows.append((exported["rnn.bias_ih_l0"] + exported["rnn.bias_hh_l0"])[None])
        kernels[KERNEL][...] = _ordered(np.concatenate(rows), np.array(COLUMNS, np.intp))

    def tape(self, kernels: Arrays, gradients: Arrays, extent: Extent) -> Tape:
        return _LSTMTape(self, kernels[KERNEL], gradients[KERNEL], extent)

    def memory(self, hidden: int) -> int:
        return 2 * hidden

    def project_inputs(self, kernels: Arrays, vectors: Array) -> Array:
        from_input, _, bias = self._parts(kernels[KERNEL])
        projected: Array = vectors @ from_input
        return projected + bias[0] if self.bias else projected

    def project_memory(self, kernels: Arrays, memory: Array) -> Array:
        from_hidden = self._parts(kernels[KERNEL])[1]
        projected: Array = memory[..., : len(from_hidden)] @ from_hidden
        return projected

    def combine(self, from_input: Array, from_memory: Array, memory: Array) -> Array:
        gates: Array = from_input + from_memory
        width = gates.shape[-1] // GATES
        sigmoids, candidate = gates[..., : 3 * width], gates[..., 3 * width :]
        run(activation("sigmoid", gates.dtype.name).value(sigmoids, sigmoids))
        np.tanh(candidate, candidate)
        out, write, keep = (gates[..., k * width : (k + 1) * width] for k in range(3))
        result = np.empty((*gates.shape[:-1], 2 * width), gates.dtype)
        cell = result[..., width:]
        np.multiply(keep, memory[..., width:], cell)
        cell += write * candidate
        np.multiply(out, np.tanh(cell), result[..., :width])
        return result

    def _parts(self, kernel: Array) -> tuple[Array, Array, Array]:
        """Return views of the rows for input (D, .), hidden vector (H, .) and bias (1, .)."""
        hidden = kernel.shape[-1] // GATES
        inputs = kernel.shape[-2] - hidden - self.bias
        return (
            kernel[..., :inputs, :],
            kernel[..., inputs : inputs + hidden, :],
            kernel[..., inputs + hidden :, :],
        )


def _ordered(kernel: Array, order: NDArray[np.intp]) -> Array:
    """Return a copy (N, 4 H) whose blocks of H columns come in another order."""
    return kernel.reshape(len(kernel), GATES, -1)[:, order].reshape(kernel.shape)


@final
class _LSTMTape(Tape):
    """Rows [x, h, 1] and blocks [o, i, f, g, c] for every step.

    A sigmoid is ``tanh(x / 2) / 2 + 1/2``: with the halving put into a copy of the kernel, one tanh
    serves all four gates. The block c stands beside g, so that i g and f c are one product.
    """

    def __init__(self, cell: LSTM, kernel: Array, gradient: Array, extent: Extent) -> None:
        steps, batch, inputs, hidden = extent.steps, extent.batch, extent.inputs, extent.hidden
        leading, width, dtype = extent.leading, kernel.shape[-2], kernel.dtype
        rows = np.zeros((*leading, steps + 1, batch, width), dtype)
        rows[..., inputs + hidden :] = 1
        self._rows, self._flat = rows, (*leading, steps * batch)
        self._width, self._memory = hidden, slice(inputs, inputs + hidden)
        self._kernel, self._gradient = kernel, gradient
        self._scale = np.repeat(np.array([0.5, 0.5, 0.5, 1], dtype), hidden)
        self._shift = np.repeat(np.array([0.5, 0.5, 0.5, 0], dtype), hidden)
        self._halved = np.empty_like(kernel)
        self._recurrent = np.swapaxes(self._halved[..., self._memory, :], -1, -2)
        self._sums = np.empty((*leading, batch, GATES * hidden), dtype)
        self._pair = np.empty((*leading, batch, 2 * hidden), dtype)
        self._back = np.empty((*leading, batch, hidden), dtype)
        self._blocks = np.zeros((*leading, steps + 1, batch, 5 * hidden), dtype)
        self._squashed = np.empty((*leading, steps, batch, hidden), dtype)
        # What a hidden gradient is multiplied by, and what becomes of it: [c through h, o] by the
        # gradient of h, [i, f, g, c before] by that of c.
        self._slopes = np.empty((*leading, steps, batch, 6, hidden), dtype)
        self._deltas = np.zeros((*leading, steps + 1, batch, 6, hidden), dtype)
        self._one = np.array(1, dtype)
        self._penalty: Array | None = None

        self.inputs = rows[..., :-1, :, :inputs]
        self.hidden = rows[..., 1:, :, :].reshape(*self._flat, width)[..., self._memory]
        self.hidden_gradient = np.empty(self.hidden.shape, dtype)
        self._by_step = self.hidden_gradient.reshape(*leading, steps, batch, hidden)

    @property
    def rest(self) -> Array:
        flat = self._blocks[..., 1:, :, :].reshape(*self._flat, 5 * self._width)
        return flat[..., self._block(4, 5)]

    def rest_gradient(self) -> Array:
        if self._penalty is None:
            self._penalty = np.zeros((*self._flat, self._width), self._kernel.dtype)
        return self._penalty

    def _block(self, first: int, last: int) -> slice:
        return slice(first * self._width, last * self._width)

    def step(self, t: int) -> list[Operation]:
        now, pair = self._blocks[..., t, :, :], self._pair
        gates, after = now[..., self._block(0, 4)], self._blocks[..., t + 1, :, self._block(4, 5)]
        squashed, hidden = self._squashed[..., t, :, :], self._rows[..., t + 1, :, self._memory]
        first: list[Operation] = [partial(np.multiply, self._kernel, self._scale, self._halved)]
        return [
            *(first if t == 0 else []),
            product(self._rows[..., t, :, :], self._halved, self._sums),
            partial(np.tanh, self._sums, gates),
            partial(np.multiply, gates, self._scale, gates),
            partial(np.add, gates, self._shift, gates),
            partial(np.multiply, now[..., self._block(1, 3)], now[..., self._block(3, 5)], pair),
            partial(np.add, pair[..., self._block(0, 1)], pair[..., self._block(1, 2)], after),
            partial(np.tanh, after, squashed),
            partial(np.multiply, now[..., self._block(0, 1)], squashed, hidden),
        ]

    def start_backward(self) -> list[Operation]:
        """Return what computes all slopes: of a gate by its halved pre-activation, 2 y (1 - y)."""
        gates = self._blocks[..., :-1, :, :].reshape(*self._squashed.shape[:-1], 5, self._width)
        slopes, squashed, one = self._slopes, self._squashed, self._one
        sigmoids, candidate = gates[..., :3, :], gates[..., 3, :]
        into, through, by_candidate = (slopes[..., part, :] for part in (slice(1, 4), 0, 4))
        return [
            partial(np.subtract, one, sigmoids, into),
            partial(np.multiply, into, sigmoids, into),
            partial(np.add, into, into, into),
            partial(np.multiply, slopes[..., 1, :], squashed, slopes[..., 1, :]),
            partial(np.multiply, slopes[..., 2:4, :], gates[..., 3:5, :], slopes[..., 2:4, :]),
            partial(np.multiply, squashed, squashed, through),
            partial(np.subtract, one, through, through),
            partial(np.multiply, through, gates[..., 0, :], through),
            partial(np.multiply, candidate, candidate, by_candidate),
            partial(np.subtract, one, by_candidate, by_candidate),
            partial(np.multiply, by_candidate, gates[..., 1, :], by_candidate),
            partial(np.copyto, slopes[..., 5, :], gates[..., 2, :]),
        ]

    def step_back(self, t: int) -> list[Operation]:
        deltas, slopes = self._deltas[..., t, :, :, :], self._slopes[..., t, :, :, :]
        by_hidden = self._by_step[..., t, :, :]
        by_cell, later = deltas[..., 0, :], self._deltas[..., t + 1, :, 5, :]
        own: list[Operation] = [
            partial(np.multiply, by_hidden[..., None, :], slopes[..., :2, :], deltas[..., :2, :]),
            partial(np.add, by_cell, later, by_cell),
            *self._penalised(t, by_cell),
            partial(np.multiply, by_cell[..., None, :], slopes[..., 2:, :], deltas[..., 2:, :]),
        ]
        if t == 0:
            return own
        earlier = self._by_step[..., t - 1, :, :]
        sides = self._deltas.reshape(*self._deltas.shape[:-2], -1)[..., t, :, self._block(1, 5)]
        back = product(sides, self._recurrent, self._back)
        return [*own, back, partial(np.add, earlier, self._back, earlier)]

    def _penalised(self, t: int, by_cell: Array) -> list[Operation]:
        if self._penalty is None:
            return []
        penalty = self._penalty.reshape(self._by_step.shape)[..., t, :, :]
        return [partial(np.add, by_cell, penalty, by_cell)]

    def finish(self) -> list[Operation]:
        read = self._rows[..., :-1, :, :].reshape(*self._flat, -1)
        deltas = self._deltas[..., :-1, :, :, :].reshape(*self._flat, -1)[..., self._block(1, 5)]
        return [
            product(np.swapaxes(read, -1, -2), deltas, self._gradient),
            partial(np.multiply, self._gradient, self._scale, self._gradient),
        ]
