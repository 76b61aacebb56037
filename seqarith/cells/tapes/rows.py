"""Shared by the passes written by hand: rows [x, h, 1], which a kernel multiplies at once.

The row of ones makes the bias a part of that product.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import partial
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqarith.cells.activations import Operation
from seqarith.cells.cell import INPUT_SCALE, Array, Arrays
from seqarith.cells.recording import Sizes
from seqarith.cells.steps import Shape
from seqarith.cells.tapes.operations import at_once, padded
from seqarith.cells.tapes.training import Extent, Tape, Training

KERNEL = "rnn"


class RowTraining(Training):
    """One kernel, shape (D + H + 1, G H): rows for the input, for the hidden vector and the bias.

    It has a block of H columns for each of G gates. Only the sum of the two biases matters, so
    they are one row.

    Args:
        bias: Whether there is a bias.
        sizes: Widths of the layer.
        gates: PyTorch's numbers of the gates, in the order of the kernel's blocks.
    """

    def __init__(self, bias: bool, sizes: Sizes, gates: Sequence[int] = (0,)) -> None:
        self._bias, self._sizes, self._gates = bias, sizes, np.array(gates, np.intp)

    def kernels(self) -> dict[str, Shape]:
        inputs, hidden, _ = self._sizes
        return {KERNEL: (inputs + hidden + self._bias, len(self._gates) * hidden)}

    @abstractmethod
    def initialise(self, kernels: Arrays, rng: np.random.Generator) -> None: ...

    def pack(self, arrays: Arrays, kernels: Arrays) -> None:
        rows = [arrays["rnn.weight_ih_l0"].T, arrays["rnn.weight_hh_l0"].T]
        if self._bias:
            rows.append((arrays["rnn.bias_ih_l0"] + arrays["rnn.bias_hh_l0"])[None])
        kernels[KERNEL][...] = self._ordered(np.concatenate(rows), self._gates)

    def unpack(self, kernels: Arrays) -> dict[str, Array]:
        # argsort inverts a permutation: it puts the blocks back in PyTorch's order.
        kernel = self._ordered(kernels[KERNEL], self._gates.argsort())
        from_input, from_hidden, bias = self.parts({KERNEL: kernel})
        arrays = {"rnn.weight_ih_l0": from_input.T, "rnn.weight_hh_l0": from_hidden.T}
        if self._bias:
            arrays |= {"rnn.bias_ih_l0": bias[0], "rnn.bias_hh_l0": np.zeros_like(bias[0])}
        return arrays

    def parts(self, kernels: Arrays) -> tuple[Array, Array, Array]:
        """Return views of the rows for input (D, .), hidden vector (H, .) and bias (1 or 0, .)."""
        kernel, (inputs, hidden, _) = kernels[KERNEL], self._sizes
        return (
            kernel[..., :inputs, :],
            kernel[..., inputs : inputs + hidden, :],
            kernel[..., inputs + hidden :, :],
        )

    def _ordered(self, kernel: Array, order: NDArray[np.intp]) -> Array:
        """Return a copy (N, G H) with the blocks of H columns in another order."""
        return kernel.reshape(len(kernel), len(order), -1)[:, order].reshape(kernel.shape)


def draw(
    kernels: Sequence[Array], from_input: Array, hidden: int, rng: np.random.Generator
) -> None:
    """Draw from U(-1/sqrt(H), 1/sqrt(H)) as PyTorch does; the input's weights 4 times larger.

    Inputs are few and small; see `seqarith.cells.tapes.elman.ElmanTraining.initialise`.
    """
    bound = hidden**-0.5
    for kernel in kernels:
        kernel[...] = rng.uniform(-bound, bound, kernel.shape)
    from_input *= INPUT_SCALE


class RowTape(Tape):
    """The buffers of a pass over rows [x, h, 1], or [h, x, 1].

    Args:
        extent: The sizes of the tape.
        dtype: Type of the numbers.
        width: Rows of the kernel.
        slopes: Shape of the slopes of one step.
        memories: Vectors of width H in the memory.
        hidden_first: Whether the hidden vector stands before the input.
    """

    def __init__(
        self,
        extent: Extent,
        dtype: np.dtype[Any],
        width: int,
        slopes: Shape,
        memories: int = 1,
        hidden_first: bool = False,
    ) -> None:
        steps, batch, inputs, hidden = extent.steps, extent.batch, extent.inputs, extent.hidden
        leading = extent.leading
        first = hidden if hidden_first else 0
        self._memory = slice(0, hidden) if hidden_first else slice(inputs, inputs + hidden)
        self._rows = np.zeros((*leading, steps + 1, padded(width, batch), batch), dtype)
        self._read = self._rows[..., :width, :]
        self._read[..., inputs + hidden :, :] = 1
        # Arrays without axes: NumPy takes them in half the time of a Python number.
        self._one, self._half = np.array(1, dtype), np.array(0.5, dtype)

        self.inputs = np.swapaxes(self._rows[..., :-1, first : first + inputs, :], -1, -2)
        self.hidden = self._rows[..., 1:, self._memory, :]
        self.hidden_gradient = np.empty(self.hidden.shape, dtype)
        noise = (*leading, steps, memories * hidden, batch)
        self.noise = np.zeros(noise, dtype) if extent.noisy else None
        self.clean = np.empty_like(self.hidden_gradient) if extent.noisy else self.hidden

        self._sums = np.empty((*leading, hidden, batch), dtype)
        size = prod((*leading, *slopes)) * dtype.itemsize
        self._steps, self._at_once = steps, at_once(steps, size)
        self._slopes = np.empty((*leading, self._at_once, *slopes), dtype)

    def _add_noise(self, t: int) -> list[Operation]:
        """Return the operation that adds noise to the hidden vectors of a step, if any."""
        if self.noise is None:
            return []
        after, clean = self.hidden[..., t, :, :], self.clean[..., t, :, :]
        return [partial(np.add, clean, self.noise[..., t, : clean.shape[-2], :], after)]
