"""The contract of a cell: one step of a recurrence, forwards and backwards.

Shapes here and in all of the package: T steps, B batch, D input width, H hidden width, K output
width, A letters, Q machine states; P is the width of a cell's projection. Arrays are time first.
Training arrays may carry a leading axis S of networks that are trained side by side, written
``...``. Within a step they lie units first, (H, B): so each part of a step is one piece of memory,
and an operation on it is one loop.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from seqarith.cells.activations import Operation
from seqarith.cells.operations import spread

Array = NDArray[np.floating[Any]]
Arrays = Mapping[str, Array]
Shape = tuple[int, ...]


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

    @abstractmethod
    def step(self, t: int) -> list[Operation]:
        """Return what computes the hidden vectors after step t."""

    @abstractmethod
    def step_back(self, t: int) -> list[Operation]:
        """Return what carries the gradient through step t to the hidden vectors before it."""

    @abstractmethod
    def finish(self) -> list[Operation]:
        """Return what writes the gradient of every kernel, summed over steps and batch."""


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

    def enclosure(self) -> Callable[..., Any] | None:
        """Return what encloses a step of this cell, which proofs need; None where there is none.

        Only asked of cells of other packages. What is returned is called with a
        `seqarith.certification.program.Program`, the assumed error of tanh and the unit roundoff,
        and makes a `seqarith.certification.recurrences.Enclosure`. A proof that rests on it says
        so: the checker cannot know whether it is right.
        """
        return None

    @abstractmethod
    def project_inputs(self, kernels: Arrays, vectors: Array) -> Array:
        """Return what input vectors (N, D) contribute to a step, shape (N, P)."""

    @abstractmethod
    def project_memory(self, kernels: Arrays, memory: Array) -> Array:
        """Return what memories (N, M) contribute to a step, shape (N, P); see `weighed`."""

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
