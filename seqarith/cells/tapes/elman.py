"""The passes of an Elman cell, written by hand: 2 to 3 times faster than derived ones."""

from __future__ import annotations

from functools import partial
from typing import final

import numpy as np

from seqarith.cells.activations import Operation, activation
from seqarith.cells.cell import Array, Arrays
from seqarith.cells.recording import Sizes
from seqarith.cells.tapes.operations import gradient, group, product
from seqarith.cells.tapes.rows import KERNEL, RowTape, RowTraining
from seqarith.cells.tapes.training import Extent, Tape

INPUT_BOUND = 8.0
LARGEST_INPUT = 2.0


@final
class ElmanTraining(RowTraining):
    """One kernel, shape (D + H + 1, H), so that a pre-activation is one matrix product.

    Args:
        activation: ``"tanh"`` or ``"sigmoid"``.
        bias: Whether there is a bias.
        sizes: Widths of the layer.
    """

    def __init__(self, activation: str, bias: bool, sizes: Sizes) -> None:
        super().__init__(bias, sizes)
        self._activation = activation

    def initialise(self, kernels: Arrays, rng: np.random.Generator) -> None:
        """Draw the recurrent weights from U(-1/sqrt(H), 1/sqrt(H)), as PyTorch does.

        The input's weights and the bias are larger: from U(-8/sqrt(H), 8/sqrt(H)), at most
        U(-2, 2). Inputs are few and small: with PyTorch's scale they hardly move a hidden
        unit, and networks need about twice as many steps to become exact.
        """
        from_input, from_hidden, bias = self.parts(kernels)
        bound = from_hidden.shape[-1] ** -0.5
        large = min(INPUT_BOUND * bound, LARGEST_INPUT)
        for part, limit in ((from_input, large), (from_hidden, bound), (bias, large)):
            part[...] = rng.uniform(-limit, limit, part.shape)

    def tape(self, kernels: Arrays, gradients: Arrays, extent: Extent) -> Tape:
        return _ElmanTape(self._activation, kernels[KERNEL], gradients[KERNEL], extent)


@final
class _ElmanTape(RowTape):
    """Rows [x, h, 1] for every step, so that one product with the kernel is a pre-activation."""

    def __init__(self, name: str, kernel: Array, gradient: Array, extent: Extent) -> None:
        dtype = kernel.dtype
        super().__init__(extent, dtype, kernel.shape[-2], (extent.hidden, extent.batch))
        self._kernel, self._gradient = kernel, gradient
        self._activation = activation(name, dtype)
        self._scale = np.array(self._activation.scale, dtype)
        self._scaled = kernel if self._scale == 1 else np.empty_like(kernel)
        self._recurrent = kernel[..., self._memory, :]
        self._below: Array | None = None

    def step(self, t: int) -> list[Operation]:
        clean = self.clean[..., t, :, :]
        own: list[Operation] = []
        if t == 0 and self._scaled is not self._kernel:
            own.append(partial(np.multiply, self._kernel, self._scale, self._scaled))
        own.append(product(np.swapaxes(self._scaled, -1, -2), self._read[..., t, :, :], clean))
        return [*own, *self._activation.of_scaled(clean, clean), *self._add_noise(t)]

    def read_out(self, weight: Array, by_logits: Array) -> list[Operation]:
        """Put the readout beside the recurrent weights, and logits below the later step's deltas.

        So one product propagates both to the hidden vectors of a step.
        """
        *leading, steps, hidden, batch = self.hidden_gradient.shape
        rows, dtype = hidden + weight.shape[-1], weight.dtype
        self._below = np.zeros((*leading, steps + 1, rows, batch), dtype)
        self._beside = np.empty((*leading, hidden, rows), dtype)
        self.hidden_gradient = self._below[..., :-1, :hidden, :]
        return [
            partial(np.copyto, self._beside[..., :hidden], self._recurrent),
            partial(np.copyto, self._beside[..., hidden:], weight),
            partial(np.copyto, self._below[..., 1:, hidden:, :], by_logits),
        ]

    def step_back(self, t: int) -> list[Operation]:
        # The gradient by the hidden vector becomes, in place, that by the pre-activation.
        delta, slope = self.hidden_gradient[..., t, :, :], self._slope(t)
        own: list[Operation] = [*self._make_slopes(t), partial(np.multiply, delta, slope, delta)]
        if self._below is not None:
            return [product(self._beside, self._below[..., t + 1, :, :], delta), *own]
        if t == 0:
            return own
        earlier = self.hidden_gradient[..., t - 1, :, :]
        back = product(self._recurrent, delta, self._sums)
        return [*own, back, partial(np.add, earlier, self._sums, earlier)]

    def _slope(self, t: int) -> Array:
        return self._slopes[..., t % self._at_once, :, :]

    def _make_slopes(self, t: int) -> list[Operation]:
        """Return operations that compute the slopes of a group of steps, at its last step."""
        some = group(t, self._steps, self._at_once)
        if not some.stop:
            return []
        slopes = self._slopes[..., : some.stop - some.start, :, :]
        return self._activation.derivative(self.clean[..., some, :, :], slopes)

    def finish(self) -> list[Operation]:
        return gradient(self._rows[..., :-1, :, :], self.hidden_gradient, self._gradient)
