"""The Elman cell: the simplest network with a memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from seqarith.cells.activations import ACTIVATIONS
from seqarith.cells.cell import Array, Arrays, Cell, Extent, Shape, Tape
from seqarith.errors import InvalidValueError
from seqarith.registry import unknown

KERNEL = "rnn"
INPUT_SCALE = 4.0


@final
@dataclass(frozen=True)
class Elman(Cell):
    """h' = f(W_ih x + W_hh h + b).

    The kernel is one array, shape (D + H + 1, H): rows for the input, for the hidden vector and
    the bias, so that a step is one matrix product. PyTorch's ``RNN`` has two biases that only
    ever act as their sum; the file holds the sum as ``bias_ih_l0`` and zeros as ``bias_hh_l0``.

    Args:
        activation: f: ``"tanh"`` or ``"sigmoid"``.
        bias: Whether there is b.

    Raises:
        InvalidValueError: Another activation.

    Source: J. L. Elman, Finding Structure in Time (1990).
    """

    activation: str = "tanh"
    bias: bool = True

    name: ClassVar[str] = "elman"

    def __post_init__(self) -> None:
        if self.activation not in ACTIVATIONS:
            raise InvalidValueError(unknown("activation", self.activation, list(ACTIVATIONS)))

    def kernels(self, inputs: int, hidden: int) -> dict[str, Shape]:
        return {KERNEL: (inputs + hidden + self.bias, hidden)}

    def initialise(self, kernels: Arrays, rng: np.random.Generator) -> None:
        """Draw from U(-1/sqrt(H), 1/sqrt(H)) as PyTorch does, the input's weights from 4 times that.

        Digits are 0 and 1, and few: with PyTorch's scale they hardly move a hidden unit, and
        networks take about twice as many steps to become exact.
        """
        kernel = kernels[KERNEL]
        bound = kernel.shape[-1] ** -0.5
        kernel[...] = rng.uniform(-bound, bound, kernel.shape)
        self._parts(kernel)[0][...] *= INPUT_SCALE

    def exported_shapes(self, inputs: int, hidden: int) -> dict[str, Shape]:
        shapes: dict[str, Shape] = {
            "rnn.weight_ih_l0": (hidden, inputs),
            "rnn.weight_hh_l0": (hidden, hidden),
        }
        if self.bias:
            shapes |= {"rnn.bias_ih_l0": (hidden,), "rnn.bias_hh_l0": (hidden,)}
        return shapes

    def export(self, kernels: Arrays) -> dict[str, Array]:
        from_input, from_hidden, bias = self._parts(kernels[KERNEL])
        arrays = {"rnn.weight_ih_l0": from_input.T, "rnn.weight_hh_l0": from_hidden.T}
        if self.bias:
            arrays |= {"rnn.bias_ih_l0": bias[0], "rnn.bias_hh_l0": np.zeros_like(bias[0])}
        return arrays

    def absorb(self, kernels: Arrays, exported: Arrays) -> None:
        from_input, from_hidden, bias = self._parts(kernels[KERNEL])
        from_input[...] = exported["rnn.weight_ih_l0"].T
        from_hidden[...] = exported["rnn.weight_hh_l0"].T
        if self.bias:
            bias[0] = exported["rnn.bias_ih_l0"] + exported["rnn.bias_hh_l0"]

    def tape(self, kernels: Arrays, gradients: Arrays, extent: Extent) -> Tape:
        return _ElmanTape(self, kernels[KERNEL], gradients[KERNEL], extent)

    def project_inputs(self, kernels: Arrays, vectors: Array) -> Array:
        from_input, _, bias = self._parts(kernels[KERNEL])
        projected: Array = vectors @ from_input
        return projected + bias[0] if self.bias else projected

    def project_memory(self, kernels: Arrays, memory: Array) -> Array:
        projected: Array = memory @ self._parts(kernels[KERNEL])[1]
        return projected

    def combine(self, from_input: Array, from_memory: Array, memory: Array) -> Array:
        result: Array = from_input + from_memory
        ACTIVATIONS[self.activation].apply(result, result)
        return result

    def _parts(self, kernel: Array) -> tuple[Array, Array, Array]:
        """Return views of the rows for the input (D, H), the hidden vector (H, H), the bias (1, H)."""
        inputs = kernel.shape[-2] - kernel.shape[-1] - self.bias
        return (
            kernel[..., :inputs, :],
            kernel[..., inputs : inputs + kernel.shape[-1], :],
            kernel[..., inputs + kernel.shape[-1] :, :],
        )


@final
class _ElmanTape(Tape):
    """Rows [x, h, 1] for every step, so that one product with the kernel is a pre-activation."""

    def __init__(self, cell: Elman, kernel: Array, gradient: Array, extent: Extent) -> None:
        steps, batch, inputs, hidden = extent.steps, extent.batch, extent.inputs, extent.hidden
        dtype = kernel.dtype
        width = kernel.shape[-2]
        rows = np.zeros((*extent.leading, steps + 1, batch, width), dtype)
        rows[..., inputs + hidden :] = 1
        memory = slice(inputs, inputs + hidden)
        activation = ACTIVATIONS[cell.activation]
        self._apply, self._derivative = activation.apply, activation.derivative
        self._kernel, self._gradient = kernel, gradient
        self._recurrent = np.swapaxes(kernel[..., memory, :], -1, -2)

        self.inputs = rows[..., :-1, :, :inputs]
        flat = (*extent.leading, steps * batch)
        self.hidden = rows[..., 1:, :, :].reshape(*flat, width)[..., memory]
        self.hidden_gradient = np.empty((*flat, hidden), dtype)
        self._slope = np.empty_like(self.hidden_gradient)
        self._rows = rows[..., :-1, :, :].reshape(*flat, width).swapaxes(-1, -2)
        self._back = np.empty((*extent.leading, batch, hidden), dtype)
        # One view a step, made here: slicing in the loop would cost as much as the arithmetic.
        self._row = [rows[..., t, :, :] for t in range(steps)]
        self._next = [rows[..., t + 1, :, memory] for t in range(steps)]
        by_step = (*extent.leading, steps, batch, hidden)
        delta, slope = self.hidden_gradient.reshape(by_step), self._slope.reshape(by_step)
        self._delta = [delta[..., t, :, :] for t in range(steps)]
        self._slope_at = [slope[..., t, :, :] for t in range(steps)]

    def step(self, t: int) -> None:
        np.matmul(self._row[t], self._kernel, out=self._back)
        self._apply(self._back, self._next[t])

    def start_backward(self) -> None:
        self._derivative(self.hidden, self._slope)

    def step_back(self, t: int) -> None:
        # The gradient by the hidden vector becomes, in place, that by the pre-activation.
        delta = self._delta[t]
        np.multiply(delta, self._slope_at[t], out=delta)
        if t:
            np.matmul(delta, self._recurrent, out=self._back)
            earlier = self._delta[t - 1]
            np.add(earlier, self._back, out=earlier)

    def finish(self) -> None:
        np.matmul(self._rows, self.hidden_gradient, out=self._gradient)
