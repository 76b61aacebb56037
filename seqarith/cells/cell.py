"""The contract of a cell: one step of a recurrence, forwards and backwards.

Shapes here and in all of the package: T steps, B batch, D input width, H hidden width, K output
width, A letters, Q machine states; P is the width of a cell's projection. Arrays are time first.
Training arrays may carry a leading axis S of networks that are trained side by side, written
``...``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Arrays = Mapping[str, Array]
Shape = tuple[int, ...]


@final
@dataclass(frozen=True)
class Extent:
    """The sizes that a tape is made for: T, B, D, H and the leading axes."""

    steps: int
    batch: int
    inputs: int
    hidden: int
    leading: Shape = ()


class Tape(ABC):
    """The buffers of one unrolled cell: what the forward pass keeps for the backward pass.

    Made once a shape and used again for every batch. Who uses it writes ``inputs``, calls `step`
    for t = 0 .. T - 1, writes ``hidden_gradient``, calls `start_backward`, `step_back` for
    t = T - 1 .. 0, and `finish`.

    Attributes:
        inputs: Input vectors, shape (..., T, B, D).
        hidden: Hidden vectors after each step, shape (..., T * B, H).
        hidden_gradient: Derivative of the loss by ``hidden`` through the readout alone, same shape.
    """

    inputs: Array
    hidden: Array
    hidden_gradient: Array

    @abstractmethod
    def step(self, t: int) -> None:
        """Compute the hidden vectors after step t."""

    @abstractmethod
    def start_backward(self) -> None:
        """Compute what the backward pass needs for all steps at once."""

    @abstractmethod
    def step_back(self, t: int) -> None:
        """Carry the gradient through step t to the hidden vectors before it."""

    @abstractmethod
    def finish(self) -> None:
        """Write the gradient of every kernel, summed over steps and batch."""


class Cell(ABC):
    """One recurrence: memory' = f(memory, input vector).

    A cell is configuration: a frozen dataclass, without parameters. Its parameters are
    *kernels*, arrays laid out for speed; the model file holds the same numbers under the names
    and in the shapes of PyTorch (`export`, `absorb`).

    For training it makes a `Tape`. For inference it splits a step in two, so that words that
    share their beginning share its cost: a projection of the letter, a projection of the
    memory, and `combine`, elementwise, of both.
    """

    name: ClassVar[str]
    bias: bool

    @abstractmethod
    def kernels(self, inputs: int, hidden: int) -> dict[str, Shape]:
        """Return the shape of every kernel."""

    @abstractmethod
    def initialise(self, kernels: Arrays, rng: np.random.Generator) -> None:
        """Draw the initial value of every kernel, in place."""

    @abstractmethod
    def exported_shapes(self, inputs: int, hidden: int) -> dict[str, Shape]:
        """Return name and shape of every array in a model file."""

    @abstractmethod
    def export(self, kernels: Arrays) -> dict[str, Array]:
        """Return the arrays of a model file."""

    @abstractmethod
    def absorb(self, kernels: Arrays, exported: Arrays) -> None:
        """Write the arrays of a model file into the kernels: the inverse of `export`."""

    @abstractmethod
    def tape(self, kernels: Arrays, gradients: Arrays, extent: Extent) -> Tape:
        """Return buffers bound to these kernels and the places of their gradients."""

    def memory(self, hidden: int) -> int:
        """Return the width M of the memory; its first H numbers are the hidden vector."""
        return hidden

    @abstractmethod
    def project_inputs(self, kernels: Arrays, vectors: Array) -> Array:
        """Return what input vectors (N, D) contribute to a step, shape (N, P)."""

    @abstractmethod
    def project_memory(self, kernels: Arrays, memory: Array) -> Array:
        """Return what memories (N, M) contribute to a step, shape (N, P)."""

    @abstractmethod
    def combine(self, from_input: Array, from_memory: Array, memory: Array) -> Array:
        """Return the memory after a step.

        Args:
            from_input: Projected input, shape (..., P).
            from_memory: Projected memory, shape (..., P).
            memory: The memory before the step, shape (..., M).

        Returns:
            A new array of the broadcast shape (..., M).
        """
