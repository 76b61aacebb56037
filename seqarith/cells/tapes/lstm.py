"""The passes of an LSTM, written by hand."""

from __future__ import annotations

from functools import partial
from typing import final

import numpy as np

from seqarith.cells.activations import Operation
from seqarith.cells.cell import Array, Arrays
from seqarith.cells.recording import Sizes
from seqarith.cells.tapes.operations import gradient, group, joined, product
from seqarith.cells.tapes.rows import KERNEL, RowTape, RowTraining, draw
from seqarith.cells.tapes.training import Extent, Tape

GATES = (3, 0, 1, 2)
"""PyTorch's gates i, f, g, o in the order of the kernel's blocks: o, i, f, g."""


@final
class LSTMTraining(RowTraining):
    """One kernel, shape (D + H + 1, 4 H), with a block of columns for each of o, i, f, g.

    Args:
        bias: Whether there is a bias.
        sizes: Widths of the layer.
    """

    def __init__(self, bias: bool, sizes: Sizes) -> None:
        super().__init__(bias, sizes, GATES)

    def initialise(self, kernels: Arrays, rng: np.random.Generator) -> None:
        draw([kernels[KERNEL]], self.parts(kernels)[0], self._sizes.hidden, rng)

    def tape(self, kernels: Arrays, gradients: Arrays, extent: Extent) -> Tape:
        return _LSTMTape(kernels[KERNEL], gradients[KERNEL], extent)


@final
class _LSTMTape(RowTape):
    """Rows [x, h, 1], and blocks [o, i, f, g, c] of shape (H, B) for every step.

    Blocks are units first, so that an operation on some of them runs through contiguous memory. A
    sigmoid is ``tanh(x / 2) / 2 + 1/2``: a copy of the kernel contains the first halving, so that
    one tanh serves all four gates. The block c is next to g, so that i g and f c are one operation.
    """

    def __init__(self, kernel: Array, gradient: Array, extent: Extent) -> None:
        steps, hidden, units = extent.steps, extent.hidden, (extent.hidden, extent.batch)
        leading, dtype = extent.leading, kernel.dtype
        super().__init__(extent, dtype, kernel.shape[-2], (6, *units), memories=2)
        self._kernel, self._gradient, self._halved = kernel, gradient, np.empty_like(kernel)
        self._scale = np.repeat(np.array([0.5, 0.5, 0.5, 1], dtype), hidden)
        self._pair = np.empty((*leading, 2, *units), dtype)
        self._blocks = np.zeros((*leading, steps + 1, 5, *units), dtype)
        self._squashed = np.empty((*leading, steps, *units), dtype)
        # What a hidden gradient is multiplied by, and the products: [c through h, o] by the
        # gradient of h, [i, f, g, c before] by that of c.
        self._deltas = np.zeros((*leading, steps + 1, 6, *units), dtype)
        self._penalty: Array | None = None

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
            # o, i, f = sigmoid(.), g = tanh(.)
            partial(np.tanh, gates, gates),
            partial(np.multiply, sigmoids, half, sigmoids),
            partial(np.add, sigmoids, half, sigmoids),
            # c' = i g + f c
            partial(np.multiply, now[..., 1:3, :, :], now[..., 3:5, :, :], pair),
            partial(np.add, pair[..., 0, :, :], pair[..., 1, :, :], after),
            *self._disturbed(t, after),
            # h' = o tanh(c')
            partial(np.tanh, after, squashed),
            partial(np.multiply, now[..., 0, :, :], squashed, self.clean[..., t, :, :]),
            *self._add_noise(t),
        ]

    def _disturbed(self, t: int, cell: Array) -> list[Operation]:
        """Return the operation that adds noise to c (H, B), if there is noise."""
        if self.noise is None:
            return []
        return [partial(np.add, cell, self.noise[..., t, cell.shape[-2] :, :], cell)]

    def _prepare(self, some: slice) -> list[Operation]:
        """Return operations that compute the slopes of some steps; of a gate: y (1 - y)."""
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
            # by o: tanh(c') o (1 - o); by i: g i (1 - i); by f: c f (1 - f)
            partial(np.multiply, by_out, squashed, by_out),
            partial(np.multiply, others, blocks[..., 3:5, :, :], others),
            # dh'/dc' = o (1 - tanh(c')**2)
            partial(np.multiply, squashed, squashed, through),
            partial(np.subtract, one, through, through),
            partial(np.multiply, through, out, through),
            # by g before tanh: i (1 - g**2)
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
            # Two operations on contiguous arrays are faster than one that broadcasts.
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
        back = product(weights, joined(deltas[..., 1:5, :, :]), self._sums)
        return [*own, back, partial(np.add, earlier, self._sums, earlier)]

    def finish(self) -> list[Operation]:
        deltas = joined(self._deltas[..., :-1, 1:5, :, :])
        return gradient(self._rows[..., :-1, :, :], deltas, self._gradient)
