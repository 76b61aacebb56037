"""The passes of a GRU, written by hand."""

from __future__ import annotations

from functools import partial
from typing import final

import numpy as np

from seqarith.cells.activations import Operation
from seqarith.cells.cell import Array, Arrays
from seqarith.cells.recording import Sizes
from seqarith.cells.steps import Shape
from seqarith.cells.tapes.operations import gradient, group, joined, product
from seqarith.cells.tapes.rows import RowTape, draw
from seqarith.cells.tapes.training import Extent, Tape, Training

INPUT, HIDDEN, BIAS = "rnn.input", "rnn.hidden", "rnn.bias"
GATES = 3
WIDE = 2**12
"""Hidden numbers per step above which arithmetic costs more than NumPy calls."""


@final
class GRUTraining(Training):
    """Kernels for input and bias, for the hidden vector, and for the bias inside the reset gate.

    ``rnn.input`` (D + 1, 3 H) has columns n, r, z; ``rnn.hidden`` (H, 3 H) has columns r, z, n;
    ``rnn.bias`` (1, H) is b_hn. Of PyTorch's two biases of r and z only the sum matters.

    Args:
        bias: Whether there are biases.
        sizes: Widths of the layer.
    """

    def __init__(self, bias: bool, sizes: Sizes) -> None:
        self._bias, self._sizes = bias, sizes

    def kernels(self) -> dict[str, Shape]:
        inputs, hidden = self._sizes.inputs, self._sizes.hidden
        width = GATES * hidden
        shapes: dict[str, Shape] = {INPUT: (inputs + self._bias, width), HIDDEN: (hidden, width)}
        return shapes | ({BIAS: (1, hidden)} if self._bias else {})

    def initialise(self, kernels: Arrays, rng: np.random.Generator) -> None:
        # The readout's kernel is drawn too, and then again by the network: seeds depend on it.
        draw(list(kernels.values()), self._parts(kernels)[0], self._sizes.hidden, rng)

    def unpack(self, kernels: Arrays) -> dict[str, Array]:
        hidden = self._sizes.hidden
        from_input, bias = (np.roll(part, -hidden, 1) for part in self._parts(kernels))
        arrays = {"rnn.weight_ih_l0": from_input.T, "rnn.weight_hh_l0": kernels[HIDDEN].T}
        if self._bias:
            beside = np.zeros_like(bias[0])
            beside[2 * hidden :] = kernels[BIAS][0]
            arrays |= {"rnn.bias_ih_l0": bias[0], "rnn.bias_hh_l0": beside}
        return arrays

    def pack(self, arrays: Arrays, kernels: Arrays) -> None:
        from_input, bias = self._parts(kernels)
        hidden = self._sizes.hidden
        from_input[...] = np.roll(arrays["rnn.weight_ih_l0"].T, hidden, 1)
        kernels[HIDDEN][...] = arrays["rnn.weight_hh_l0"].T
        if self._bias:
            beside = arrays["rnn.bias_hh_l0"]
            bias[0] = np.roll(arrays["rnn.bias_ih_l0"], hidden)
            bias[0, hidden:] += beside[: 2 * hidden]
            kernels[BIAS][0] = beside[2 * hidden :]

    def tape(self, kernels: Arrays, gradients: Arrays, extent: Extent) -> Tape:
        return _GRUTape(kernels, gradients, extent)

    def _parts(self, kernels: Arrays) -> tuple[Array, Array]:
        """Return views of the rows for input (D, 3 H) and bias (1, 3 H)."""
        kernel, inputs = kernels[INPUT], self._sizes.inputs
        return kernel[..., :inputs, :], kernel[..., inputs:, :]


@final
class _GRUTape(RowTape):
    """Rows [h, x, 1], and blocks [n, r, z, v] of shape (H, B) for every step; v is W_hn h + b_hn.

    Blocks are units first, so that an operation on some of them runs through contiguous memory. The
    kernels are copied into one, [h, x, 1] by [n, r, z, v], with zeros elsewhere, so that a step is
    one product. A sigmoid is ``tanh(x / 2) / 2 + 1/2``; that kernel contains the first halving. In
    the backward pass one product propagates the gradient through the gates and past them: an
    identity stands beside the weights. Above `WIDE` numbers, zeros and identity are left out.
    """

    def __init__(self, kernels: Arrays, gradients: Arrays, extent: Extent) -> None:
        steps, hidden, leading = extent.steps, extent.hidden, extent.leading
        dtype, units = kernels[HIDDEN].dtype, (hidden, extent.batch)
        width = hidden + kernels[INPUT].shape[-2]
        super().__init__(extent, dtype, width, (5, *units), hidden_first=True)
        self._width, self._kernels, self._gradients = hidden, kernels, gradients
        self._wide = hidden * extent.batch > WIDE
        # Halves the pre-activations of the sigmoids: r and z.
        self._scale = np.repeat(np.array([1, 0.5, 0.5, 1], dtype), hidden)
        self._whole, self._gradient = (
            np.zeros((*leading, width, 4 * hidden), dtype) for _ in range(2)
        )
        self._recurrent = np.zeros((*leading, hidden, 4 * hidden), dtype)
        self._recurrent[..., 3 * hidden :] = np.eye(hidden)
        self._blocks = np.empty((*leading, steps, 4, *units), dtype)
        self._apart = np.empty((*leading, steps, *units), dtype)
        # What a hidden gradient is multiplied by, and the products: [n, r, z, v, h].
        self._deltas = np.empty((*leading, steps, 5, *units), dtype)

    def _places(self, whole: Array, kernels: Arrays) -> list[tuple[Array, Array, Array]]:
        """Return, for each kernel, its place in the common kernel, itself and its scale."""
        width, scale = self._width, self._scale
        places = [
            (whole[..., :width, width:], kernels[HIDDEN], scale[width:]),
            (whole[..., width:, : 3 * width], kernels[INPUT], scale[: 3 * width]),
        ]
        if BIAS in kernels:
            places.append((whole[..., -1:, 3 * width :], kernels[BIAS], scale[3 * width :]))
        return places

    def _assemble(self) -> list[Operation]:
        width, places = self._width, self._places(self._whole, self._kernels)
        return [
            *(partial(np.multiply, kernel, scale, whole) for whole, kernel, scale in places),
            partial(np.copyto, self._recurrent[..., : 3 * width], self._kernels[HIDDEN]),
        ]

    def step(self, t: int) -> list[Operation]:
        blocks, scratch, half = self._blocks[..., t, :, :, :], self._sums, self._half
        candidate, reset, keep, from_hidden = (blocks[..., k, :, :] for k in range(4))
        gates, apart = blocks[..., 1:3, :, :], self._apart[..., t, :, :]
        before = self._rows[..., t, : self._width, :]
        return [
            *(self._assemble() if t == 0 else []),
            *self._weigh(t),
            # r, z = sigmoid(.)
            partial(np.tanh, gates, gates),
            partial(np.multiply, gates, half, gates),
            partial(np.add, gates, half, gates),
            # n = tanh(W_in x + b_in + r v)
            partial(np.multiply, reset, from_hidden, scratch),
            partial(np.add, scratch, candidate, scratch),
            partial(np.tanh, scratch, candidate),
            # h' = n + z (h - n); h - n is kept for the backward pass
            partial(np.subtract, before, candidate, apart),
            partial(np.multiply, keep, apart, scratch),
            partial(np.add, scratch, candidate, self.clean[..., t, :, :]),
            *self._add_noise(t),
        ]

    def _weigh(self, t: int) -> list[Operation]:
        """Return operations that write the blocks: one product, or two without zeros if `WIDE`."""
        width, blocks, read = self._width, self._blocks[..., t, :, :, :], self._read[..., t, :, :]
        whole = np.swapaxes(self._whole, -1, -2)
        if not self._wide:
            return [product(whole, read, joined(blocks))]
        return [
            product(whole[..., width:, :], read, joined(blocks[..., 1:, :, :])),
            product(whole[..., :width, width:], read[..., width:, :], blocks[..., 0, :, :]),
        ]

    def _prepare(self, some: slice) -> list[Operation]:
        """Return operations that compute the slopes of some steps; of a gate: y (1 - y)."""
        blocks, slopes = self._blocks[..., some, :, :, :], self._slopes
        slopes = slopes[..., : some.stop - some.start, :, :, :]
        candidate, reset, keep, from_hidden = (blocks[..., k, :, :] for k in range(4))
        by_candidate, by_reset, by_keep, by_product, past = (slopes[..., k, :, :] for k in range(5))
        gates, by_gates = blocks[..., 1:3, :, :], slopes[..., 1:3, :, :]
        return [
            partial(np.subtract, self._one, gates, by_gates),
            # dh'/dn before tanh = (1 - n**2) (1 - z); by_keep is still 1 - z here
            partial(np.multiply, candidate, candidate, by_candidate),
            partial(np.subtract, self._one, by_candidate, by_candidate),
            partial(np.multiply, by_candidate, by_keep, by_candidate),
            partial(np.multiply, by_gates, gates, by_gates),
            # by z: (h - n) z (1 - z); by r: v r (1 - r) times that of n; by v: r times that of n
            partial(np.multiply, by_keep, self._apart[..., some, :, :], by_keep),
            partial(np.multiply, by_reset, from_hidden, by_reset),
            partial(np.multiply, by_reset, by_candidate, by_reset),
            partial(np.multiply, reset, by_candidate, by_product),
            partial(np.copyto, past, keep),
        ]

    def step_back(self, t: int) -> list[Operation]:
        deltas, slopes = (
            self._deltas[..., t, :, :, :],
            self._slopes[..., t % self._at_once, :, :, :],
        )
        by_hidden, some = (
            self.hidden_gradient[..., t, None, :, :],
            group(t, self._steps, self._at_once),
        )
        own = self._prepare(some) if some.stop else []
        own.append(partial(np.multiply, by_hidden, slopes, deltas))
        if t == 0:
            return own
        earlier = self.hidden_gradient[..., t - 1, :, :]
        weights, read = self._recurrent, deltas[..., 1:, :, :]
        if self._wide:
            weights, read = weights[..., : 3 * self._width], deltas[..., 1:4, :, :]
            own.append(partial(np.add, earlier, deltas[..., 4, :, :], earlier))
        back = product(weights, joined(read), self._sums)
        return [*own, back, partial(np.add, earlier, self._sums, earlier)]

    def finish(self) -> list[Operation]:
        places = self._places(self._gradient, self._gradients)
        read, deltas = self._rows[..., :-1, :, :], joined(self._deltas[..., :4, :, :])
        return [
            *gradient(read, deltas, self._gradient),
            *(partial(np.copyto, kernel, whole) for whole, kernel, _ in places),
        ]
