"""The contract of training: kernels, and tapes that run a step forwards and backwards.

The arrays of a step are units first, (H, B). So each part of a step is contiguous in memory, and
an operation on it is one loop.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import numpy as np

from seqarith.cells.activations import Operation
from seqarith.cells.cell import Array, Arrays
from seqarith.cells.steps import Shape
from seqarith.cells.tapes.operations import spread

READOUT = "readout"
"""The kernel of the readout in training: weight and bias in one."""


@final
@dataclass(frozen=True)
class Extent:
    """The sizes of a tape: T, B, D, H, the leading axes, and whether there is noise."""

    steps: int
    batch: int
    inputs: int
    hidden: int
    leading: Shape = ()
    noisy: bool = False


class Tape(ABC):
    """The buffers of one unrolled cell, and the array operations that fill them.

    The operations are bound to the buffers when the tape is made, once per shape. To run a batch,
    write ``inputs`` and run the operations in order; nothing is looked up or allocated. The network
    runs the steps t = 0 .. T - 1 forwards, then, with ``hidden_gradient`` written, the steps
    T - 1 .. 0 backwards, then `finish`.

    Attributes:
        inputs: Input vectors, shape (..., T, B, D).
        hidden: Hidden vectors after each step, as the next step and the readout see them, shape
            (..., T, H, B).
        noise: Noise that is added to every memory after its step, shape (..., T, M, B); the caller
            writes it. None unless the extent is noisy.
        clean: Hidden vectors without their noise, shape (..., T, H, B).
        hidden_gradient: Derivative of the loss by ``hidden``, without the part that passes through
            later steps; same shape. It equals the derivative by ``clean``.
    """

    inputs: Array
    hidden: Array
    noise: Array | None
    clean: Array
    hidden_gradient: Array

    @property
    def rest(self) -> Array:
        """The rest of the memory after each step, without the hidden vector, (..., T, M - H, B)."""
        return self.hidden[..., :0, :]

    def rest_gradient(self) -> Array:
        """Return an array of zeros for a derivative of the loss by ``rest``, in that shape.

        For losses that read more than the readout. Call it before `step_back`.
        """
        return np.zeros_like(self.rest)

    def read_out(self, weight: Array, by_logits: Array) -> list[Operation]:
        """Return operations that propagate the derivative by the logits to the hidden vectors.

        They write ``hidden_gradient`` before the backward pass. A tape may do so step by step
        instead, which saves a pass over all steps; then nothing else can be added to it. Call it
        before `step_back`, or not at all.

        Args:
            weight: Of the readout, shape (..., H, K).
            by_logits: Shape (..., T, K, B).
        """
        return [spread(weight, by_logits, self.hidden_gradient)]

    def clear(self) -> list[Operation]:
        """Return operations that set ``rest_gradient`` to 0, before losses add to it."""
        return []

    @abstractmethod
    def step(self, t: int) -> list[Operation]:
        """Return operations that compute the hidden vectors after step t."""

    @abstractmethod
    def step_back(self, t: int) -> list[Operation]:
        """Return operations that propagate the gradient through step t to the vectors before it."""

    @abstractmethod
    def finish(self) -> list[Operation]:
        """Return operations that write every kernel's gradient, summed over steps and batch."""


class Training(ABC):
    """The recurrence of a network in the layout of training.

    Training changes *kernels*, arrays laid out for speed; `pack` and `unpack` convert the arrays of
    a model file to kernels and back. Arrays that only occur as a sum, such as PyTorch's two biases,
    are one kernel.
    """

    @abstractmethod
    def kernels(self) -> dict[str, Shape]:
        """Return the shape of every kernel."""

    @abstractmethod
    def initialise(self, kernels: Arrays, rng: np.random.Generator) -> None:
        """Draw the initial value of every kernel, in place."""

    @abstractmethod
    def pack(self, arrays: Arrays, kernels: Arrays) -> None:
        """Write the arrays of a model file into kernels."""

    @abstractmethod
    def unpack(self, kernels: Arrays) -> dict[str, Array]:
        """Return the arrays of a model file."""

    @abstractmethod
    def tape(self, kernels: Arrays, gradients: Arrays, extent: Extent) -> Tape:
        """Return buffers bound to these kernels and the places of their gradients."""
