"""The passes of an LSTM, written by hand."""

from __future__ import annotations

from functools import partial
from typing import final

import numpy as np
from numpy.typing import NDArray

from seqarith.cells.activations import Operation
from seqarith.cells.cell import INPUT_SCALE, Array, Arrays
from seqarith.cells.recording import Sizes
from seqarith.cells.steps import Shape
from seqarith.cells.tapes.operations import at_once, gradient, group, joined, padded, product
from seqarith.cells.tapes.training import Extent, Tape, Training

KERNEL = "rnn"
GATES = 4
COLUMNS = (3, 0, 1, 2)
"""PyTorch's gates i, f, g, o in the order of the kernel's columns: o, i, f, g."""


@final
class LSTMTraining(Training):
    """One kernel, shape (D + H + 1, 4 H): rows for the input, for the hidden vector and the bias.

    It has a block of columns for each of o, i, f, g. The two biases only ever act as their sum.

    Args:
        bias: Whether there is a bias.
        sizes: Of the layer.
    """

    def __init__(self, bias: bool, sizes: Sizes) -> None:
        self._bias, self._sizes = bias, sizes

    def kernels(self) -> dict[str, Shape]:
        rows = self._sizes.inputs + self._sizes.hidden + self._bias
        return {KERNEL: (rows, GATES * self._sizes.hidden)}

    def initialise(self, kernels: Arrays, rng: np.random.Generator) -> None:
        """Draw from U(-1/sqrt(H), 1/sqrt(H)) as PyTorch does; the input's weights 4 times larger.

        Digits are 0 and 1, and few; see `seqarith.cells.tapes.elman.ElmanTraining.initialise`.
        """
        kernel, bound = kernels[KERNEL], self._sizes.hidden**-0.5
        kernel[...] = rng.uniform(-bound, bound, kernel.shape)
        self._parts(kernel)[0][...] *= INPUT_SCALE

    def unpack(self, kernels: Arrays) -> dict[str, Array]:
        from_input, from_hidden, bias = self._parts(_ordered(kernels[KERNEL], np.argsort(COLUMNS)))
        arrays = {"rnn.weight_ih_l0": from_input.T, "rnn.weight_hh_l0": from_hidden.T}
        if self._bias:
            arrays |= {"rnn.bias_ih_l0": bias[0], "rnn.bias_hh_l0": np.zeros_like(bias[0])}
        return arrays

    def pack(self, arrays: Arrays, kernels: Arrays) -> None:
        rows = [arrays["rnn.weight_ih_l0"].T, arrays["rnn.weight_hh_l0"].T]
        if self._bias:
            rows.append((arrays["rnn.bias_ih_l0"] + arrays["rnn.bias_hh_l0"])[None])
        kernels[KERNEL][...] = _ordered(np.concatenate(rows), np.array(COLUMNS, np.intp))

    def tape(self, kernels: Arrays, gradients: Arrays, extent: Extent) -> Tape:
        return _LSTMTape(kernels[KERNEL], gradients[KERNEL], extent)

    def _parts(self, kernel: Array) -> tuple[Array, Array, Array]:
        """Return views of the rows for input (D, .), hidden vector (H, .) and bias (1, .)."""
        inputs, hidden = self._sizes.inputs, self._sizes.hidden
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
    """Rows [x, h, 1], and blocks [o, i, f, g, c] of shape (H, B) for every step.

    Blocks lie units first, so that an operation on some of them runs through memory in one go. A
    sigmoid is ``tanh(x / 2) / 2 + 1/2``: with the halving put into a copy of the kernel, one tanh
    serves all four gates. The block c stands beside g, so that i g and f c are one product.
    """

    def __init__(self, kernel: Array, gradient: Array, extent: Extent) -> None:
        steps, batch, inputs, hidden = extent.steps, extent.batch, extent.inputs, extent.hidden
        leading, width, dtype = extent.leading, kernel.shape[-2], kernel.dtype
        self._rows = np.zeros((*leading, steps + 1, padded(width, batch), batch), dtype)
        self._read = self._rows[..., :width, :]
        self._read[..., inputs + hidden :, :] = 1
        self._memory = slice(inputs, inputs + hidden)
        self._kernel, self._gradient, self._halved = kernel, gradient, np.empty_like(kernel)
        self._scale = np.repeat(np.array([0.5, 0.5, 0.5, 1], dtype), hidden)
        self._one, self._half = np.array(1, dtype), np.array(0.5, dtype)
        units = (hidden, batch)
        self._pair, self._back = (np.empty((*leading, *s), dtype) for s in ((2, *units), units))
        self._blocks = np.zeros((*leading, steps + 1, 5, *units), dtype)
        self._squashed = np.empty((*leading, steps, *units), dtype)
        # What a hidden gradient is multiplied by, and what becomes of it: [c through h, o] by the
        # gradient of h, [i, f, g, c before] by that of c.
        self._deltas = np.zeros((*leading, steps + 1, 6, *units), dtype)
        self._steps, self._at_once = steps, at_once(steps, self._deltas.nbytes // (steps + 1))
        self._slopes = np.empty((*leading, self._at_once, 6, *units), dtype)
        self._penalty: Array | None = None

        self.inputs = np.swapaxes(self._rows[..., :-1, :inputs, :], -1, -2)
        self.hidden = self._rows[..., 1:, self._memory, :]
        self.hidden_gradient = np.empty(self.hidden.shape, dtype)
        both = (*leading, steps, 2 * hidden, batch)
        self.noise = np.zeros(both, dtype) if extent.noisy else None
        self.clean = np.empty_like(self.hidden_gradient) if extent.noisy else self.hidden

    @property
    def rest(self) -> Array:
        return self._blocks[..., 1:, 4, :, :]

    def rest_gradient(self) -> Array:
        if self._penalty is None:
            self._penalty = np.zeros_like(self._squashed)
        return self._penalty

    def clear(self) -> list[Operation]:
        return [] if self._penalty is None else [partial(self._penalty.fill, 0)]

    def step(self, t: int) -> list[Operation]:
        now, after = self._blocks[..., t, :, :, :], self._blocks[..., t + 1, 4, :, :]
        gates, pair, squashed = now[..., :4, :, :], self._pair, self._squashed[..., t, :, :]
        sigmoids, half = now[..., :3, :, :], self._half
        first: list[Operation] = [partial(np.multiply, self._kernel, self._scale, self._halved)]
        return [
            *(first if t == 0 else []),
            product(np.swapaxes(self._halved, -1, -2), self._read[..., t, :, :], joined(gates)),
            partial(np.tanh, gates, gates),
            partial(np.multiply, sigmoids, half, sigmoids),
            partial(np.add, sigmoids, half, sigmoids),
            partial(np.multiply, now[..., 1:3, :, :], now[..., 3:5, :, :], pair),
            partial(np.add, pair[..., 0, :, :], pair[..., 1, :, :], after),
            *self._disturbed(t, after),
            partial(np.tanh, after, squashed),
            *self._shown(t, now[..., 0, :, :], squashed),
        ]

    def _shown(self, t: int, out: Array, squashed: Array) -> list[Operation]:
        """Return what writes the hidden vectors, with their noise if there is any."""
        after, clean = self.hidden[..., t, :, :], self.clean[..., t, :, :]
        if self.noise is None:
            return [partial(np.multiply, out, squashed, after)]
        return [
            partial(np.multiply, out, squashed, clean),
            partial(np.add, clean, self.noise[..., t, : clean.shape[-2], :], after),
        ]

    def _disturbed(self, t: int, cell: Array) -> list[Operation]:
        """Return what adds noise to c (H, B), if there is any."""
        if self.noise is None:
            return []
        return [partial(np.add, cell, self.noise[..., t, cell.shape[-2] :, :], cell)]

    def _prepare(self, some: slice) -> list[Operation]:
        """Return what computes slopes of some steps: of a gate by its pre-activation, y (1 - y)."""
        blocks, squashed = self._blocks[..., some, :, :, :], self._squashed[..., some, :, :]
        slopes, one = self._slopes[..., : some.stop - some.start, :, :, :], self._one
        out, write, keep, candidate, _ = (blocks[..., k, :, :] for k in range(5))
        through, by_out, _, _, by_candidate, past = (slopes[..., k, :, :] for k in range(6))
        sigmoids, into, others = (
            blocks[..., :3, :, :],
            slopes[..., 1:4, :, :],
            slopes[..., 2:4, :, :],
        )
        return [
            partial(np.subtract, one, sigmoids, into),
            partial(np.multiply, into, sigmoids, into),
            partial(np.multiply, by_out, squashed, by_out),
            partial(np.multiply, others, blocks[..., 3:5, :, :], others),
            partial(np.multiply, squashed, squashed, through),
            partial(np.subtract, one, through, through),
            partial(np.multiply, through, out, through),
            partial(np.multiply, candidate, candidate, by_candidate),
            partial(np.subtract, one, by_candidate, by_candidate),
            partial(np.multiply, by_candidate, write, by_candidate),
            partial(np.copyto, past, keep),
        ]

    def step_back(self, t: int) -> list[Operation]:
        deltas, slopes = (
            self._deltas[..., t, :, :, :],
            self._slopes[..., t % self._at_once, :, :, :],
        )
        some = group(t, self._steps, self._at_once)
        by_hidden, later = self.hidden_gradient, self._deltas[..., t + 1, 5, :, :]
        by_cell, sides = deltas[..., 0, :, :], deltas[..., 2:, :, :]
        own: list[Operation] = [
            *(self._prepare(some) if some.stop else []),
            # Two operations on whole pieces take less time than one that repeats its operand.
            *(
                partial(np.multiply, by_hidden[..., t, :, :], slopes[..., k, :, :], shown)
                for k, shown in enumerate((by_cell, deltas[..., 1, :, :]))
            ),
            partial(np.add, by_cell, later, by_cell),
        ]
        if self._penalty is not None:
            own.append(partial(np.add, by_cell, self._penalty[..., t, :, :], by_cell))
        spread = deltas[..., :1, :, :]
        own.append(partial(np.multiply, spread, slopes[..., 2:, :, :], sides))
        if t == 0:
            return own
        earlier, weights = by_hidden[..., t - 1, :, :], self._kernel[..., self._memory, :]
        back = product(weights, joined(deltas[..., 1:5, :, :]), self._back)
        return [*own, back, partial(np.add, earlier, self._back, earlier)]

    def finish(self) -> list[Operation]:
        deltas = joined(self._deltas[..., :-1, 1:5, :, :])
        return gradient(self._rows[..., :-1, :, :], deltas, self._gradient)
