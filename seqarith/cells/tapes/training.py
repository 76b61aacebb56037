"""The contract of training: kernels, and tapes that run a step forwards and backwards.

Within a step arrays lie units first, (H, B): so each part of a step is one piece of memory, and an
operation on it is one loop.
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
    """What a tape is made for: T, B, D, H, the leading axes, and whether there is noise."""

    steps: int
    batch: int
    inputs: int
    hidden: int
    leading: Shape = ()
    noisy: bool = False


class Tape(ABC):
    """The buffers of one unrolled cell, and the array operations that fill them.

    The operations are bound to the buffers when the tape is made, once a shape: to run a batch
    is to write ``inputs`` and to run them in order, with nothing to look up or to allocate. The
    network asks for the steps t = 0 .. T - 1 forwards, then, with ``hidden_gradient`` written,
    for the steps T - 1 .. 0 backwards, and for `finish`.

    Attributes:
        inputs: Input vectors, shape (..., T, B, D).
        hidden: Hidden vectors after each step, as the next step and the readout see them, shape
            (..., T, H, B).
        noise: What is added to every memory after its step, shape (..., T, M, B), for the caller
            to write; None unless the extent is noisy.
        clean: Hidden vectors without their noise, shape (..., T, H, B).
        hidden_gradient: Derivative of the loss by ``hidden``, but for what passes through later
            steps; same shape. It is that by ``clean`` too.
    """

    inputs: Array
    hidden: Array
    noise: Array | None
    clean: Array
    hidden_gradient: Array

    @property
    def rest(self) -> Array:
        """What the memory holds beside the hidden vectors after each step, (..., T, M - H, B)."""
        return self.hidden[..., :0, :]

    def rest_gradient(self) -> Array:
        """Return where a derivative of the loss by ``rest`` is written, in that shape; at first 0.

        For losses that see more than the readout. To be asked for before `step_back`.
        """
        return np.zeros_like(self.rest)

    def read_out(self, weight: Array, by_logits: Array) -> list[Operation]:
        """Return what carries the derivative of the loss by the logits to the hidden vectors.

        It writes ``hidden_gradient``, before the backward pass. A tape may do so step by step
        instead, which spares a pass over all steps; then nothing else can be added to it. To be
        asked for before `step_back`, or not at all.

        Args:
            weight: Of the readout, shape (..., H, K).
            by_logits: Shape (..., T, K, B).
        """
        return [spread(weight, by_logits, self.hidden_gradient)]

    def clear(self) -> list[Operation]:
        """Return what sets ``rest_gradient`` to 0, before losses add to it."""
        return []

    @abstractmethod
    def step(self, t: int) -> list[Operation]:
        """Return what computes the hidden vectors after step t."""

    @abstractmethod
    def step_back(self, t: int) -> list[Operation]:
        """Return what carries the gradient through step t to the hidden vectors before it."""

    @abstractmethod
    def finish(self) -> list[Operation]:
        """Return what writes the gradient of every kernel, summed over steps and batch."""


class Training(ABC):
    """A network's recurrence, made ready for training.

    What is trained are *kernels*, arrays laid out for speed; `pack` and `unpack` turn the arrays of
    a model file into them and back. Where several arrays only ever act as their sum, such as
    PyTorch's two biases, one kernel holds it.
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
