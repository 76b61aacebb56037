"""The passes of an Elman cell, written by hand: 2 to 3 times faster than those of its step."""

from __future__ import annotations

from functools import partial
from typing import final

import numpy as np

from seqarith.cells.activations import Operation, activation
from seqarith.cells.cell import Array, Arrays
from seqarith.cells.recording import Sizes
from seqarith.cells.steps import Shape
from seqarith.cells.tapes.operations import at_once, gradient, group, padded, product
from seqarith.cells.tapes.training import Extent, Tape, Training

KERNEL = "rnn"
INPUT_BOUND = 8.0
LARGEST_INPUT = 2.0


@final
class ElmanTraining(Training):
    """One kernel, shape (D + H + 1, H): rows for the input, for the hidden vector and the bias.

    So a pre-activation is one matrix product. The two biases only ever act as their sum.

    Args:
        activation: ``"tanh"`` or ``"sigmoid"``.
        bias: Whether there is a bias.
        sizes: Of the layer.
    """

    def __init__(self, activation: str, bias: bool, sizes: Sizes) -> None:
        self._activation, self._bias, self._sizes = activation, bias, sizes

    def kernels(self) -> dict[str, Shape]:
        return {KERNEL: (self._sizes.inputs + self._sizes.hidden + self._bias, self._sizes.hidden)}

    def initialise(self, kernels: Arrays, rng: np.random.Generator) -> None:
        """Draw the recurrent weights from U(-1/sqrt(H), 1/sqrt(H)), as PyTorch does.

        The input's weights and the bias are larger: from U(-8/sqrt(H), 8/sqrt(H)), at most
        U(-2, 2). Digits are 0 and 1, and few: with PyTorch's scale they hardly move a hidden
        unit, and networks take about twice as many steps to become exact.
        """
        from_input, from_hidden, bias = self.parts(kernels)
        bound = from_hidden.shape[-1] ** -0.5
        large = min(INPUT_BOUND * bound, LARGEST_INPUT)
        for part, limit in ((from_input, large), (from_hidden, bound), (bias, large)):
            part[...] = rng.uniform(-limit, limit, part.shape)

    def pack(self, arrays: Arrays, kernels: Arrays) -> None:
        from_input, from_hidden, bias = self.parts(kernels)
        from_input[...] = arrays["rnn.weight_ih_l0"].T
        from_hidden[...] = arrays["rnn.weight_hh_l0"].T
        if self._bias:
            bias[0] = arrays["rnn.bias_ih_l0"] + arrays["rnn.bias_hh_l0"]

    def unpack(self, kernels: Arrays) -> dict[str, Array]:
        from_input, from_hidden, bias = self.parts(kernels)
        arrays = {"rnn.weight_ih_l0": from_input.T, "rnn.weight_hh_l0": from_hidden.T}
        if self._bias:
            arrays |= {"rnn.bias_ih_l0": bias[0], "rnn.bias_hh_l0": np.zeros_like(bias[0])}
        return arrays

    def tape(self, kernels: Arrays, gradients: Arrays, extent: Extent) -> Tape:
        return _ElmanTape(self._activation, kernels[KERNEL], gradients[KERNEL], extent)

    def parts(self, kernels: Arrays) -> tuple[Array, Array, Array]:
        """Return views of the rows for input (D, H), hidden vector (H, H) and bias (1 or 0, H)."""
        kernel, inputs, hidden = kernels[KERNEL], self._sizes.inputs, self._sizes.hidden
        return (
            kernel[..., :inputs, :],
            kernel[..., inputs : inputs + hidden, :],
            kernel[..., inputs + hidden :, :],
        )


@final
class _ElmanTape(Tape):
    """Rows [x, h, 1] for every step, so that one product with the kernel is a pre-activation."""

    def __init__(self, name: str, kernel: Array, gradient: Array, extent: Extent) -> None:
        steps, batch, inputs, hidden = extent.steps, extent.batch, extent.inputs, extent.hidden
        leading, dtype = extent.leading, kernel.dtype
        self._memory = slice(inputs, inputs + hidden)
        width = kernel.shape[-2]
        self._rows = np.zeros((*leading, steps + 1, padded(width, batch), batch), dtype)
        self._read = self._rows[..., :width, :]
        self._read[..., inputs + hidden :, :] = 1
        self._kernel, self._gradient = kernel, gradient
        self._activation = activation(name, dtype)
        self._scale = np.array(self._activation.scale, dtype)
        self._scaled = kernel if self._scale == 1 else np.empty_like(kernel)
        self._recurrent = kernel[..., self._memory, :]

        self.inputs = np.swapaxes(self._rows[..., :-1, :inputs, :], -1, -2)
        self.hidden = self._rows[..., 1:, self._memory, :]
        self.hidden_gradient = np.empty(self.hidden.shape, dtype)
        self.noise = np.zeros_like(self.hidden_gradient) if extent.noisy else None
        self.clean = np.empty_like(self.hidden_gradient) if extent.noisy else self.hidden
        self._sums = np.empty((*leading, hidden, batch), dtype)
        self._below: Array | None = None
        self._steps, self._at_once = steps, at_once(steps, self._sums.nbytes)
        self._slopes = np.empty((*leading, self._at_once, hidden, batch), dtype)

    def step(self, t: int) -> list[Operation]:
        after, clean = self.hidden[..., t, :, :], self.clean[..., t, :, :]
        own: list[Operation] = []
        if t == 0 and self._scaled is not self._kernel:
            own.append(partial(np.multiply, self._kernel, self._scale, self._scaled))
        own.append(product(np.swapaxes(self._scaled, -1, -2), self._read[..., t, :, :], clean))
        own += self._activation.of_scaled(clean, clean)
        if self.noise is not None:
            own.append(partial(np.add, clean, self.noise[..., t, :, :], after))
        return own

    def read_out(self, weight: Array, by_logits: Array) -> list[Operation]:
        """Put the readout beside the recurrent weights, and logits below the later step's deltas.

        So one product brings both to the hidden vectors of a step.
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
        """Return what computes the slopes of a few steps, when the first of them is met."""
        some = group(t, self._steps, self._at_once)
        if not some.stop:
            return []
        slopes = self._slopes[..., : some.stop - some.start, :, :]
        return self._activation.derivative(self.clean[..., some, :, :], slopes)

    def finish(self) -> list[Operation]:
        return gradient(self._rows[..., :-1, :, :], self.hidden_gradient, self._gradient)
