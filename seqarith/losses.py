"""Losses: how far logits are from the expected symbols.

Every loss computes its value and its exact gradient. ``reduction="mean"`` averages both over all
steps and words; ``"sum"`` sums them over the steps of a word and averages over the words, as in
the tutorial of 2015.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from seqarith.cells.activations import Operation, activation, run, sigmoid
from seqarith.cells.cell import Array
from seqarith.errors import InvalidValueError

REDUCTIONS = ("mean", "sum")


@dataclass(frozen=True)
class Loss(ABC):
    """The contract of a loss.

    Args:
        reduction: ``"mean"`` over steps and words, or ``"sum"`` over steps and mean over words.

    Raises:
        InvalidValueError: The reduction is neither.
    """

    reduction: str = "mean"

    name: ClassVar[str]

    def __post_init__(self) -> None:
        if self.reduction not in REDUCTIONS:
            raise InvalidValueError(f"reduction {self.reduction!r}: expected mean or sum")

    @abstractmethod
    def outputs(self, symbols: int) -> int:
        """Return the output width K of a network with that many output symbols.

        Raises:
            InvalidValueError: The loss does not support that number.
        """

    @abstractmethod
    def value(self, logits: Array, targets: Array, steps: int) -> Any:
        """Return the loss.

        Args:
            logits: Shape (..., N, K) with N = steps * batch.
            targets: The expected symbols as encoded by `encode`, same shape.
            steps: T, for ``reduction="sum"``.

        Returns:
            Shape (...).
        """

    @abstractmethod
    def operations(self, logits: Array, targets: Array, steps: int, out: Array) -> list[Operation]:
        """Return the operations that write the derivative of the value by the logits into ``out``.

        Args:
            logits: Shape (..., N, K).
            targets: Same shape.
            steps: T, for ``reduction="sum"``.
            out: Same shape.
        """

    def gradient(self, logits: Array, targets: Array, steps: int) -> Array:
        """Return the derivative of the value by the logits, shape (..., N, K)."""
        out = np.empty_like(logits)
        run(self.operations(logits, targets, steps, out))
        return out

    def _weight(self, logits: Array, steps: int) -> float:
        """Return the weight of one step of one word."""
        count: int = logits.shape[-2]
        return 1 / count if self.reduction == "mean" else steps / count

    def _weighted(self, logits: Array, steps: int, out: Array) -> list[Operation]:
        """Return the operation that multiplies ``out`` by the weight; none if the weight is 1."""
        weight = self._weight(logits, steps)
        if weight == 1:
            return []
        return [partial(np.multiply, out, np.array(weight, out.dtype), out)]


def encode(symbols: NDArray[np.intp], outputs: int, dtype: str) -> Array:
    """Return symbols (...) as targets (..., K): the digit itself for K = 1, else one-hot."""
    if outputs == 1:
        return symbols[..., None].astype(dtype)
    hot: Array = (symbols[..., None] == np.arange(outputs)).astype(dtype)
    return hot


@final
@dataclass(frozen=True)
class BinaryCrossEntropy(Loss):
    """log(1 + exp(z)) - y z for one logit z and a digit y in {0, 1}."""

    name: ClassVar[str] = "binary_cross_entropy"

    def outputs(self, symbols: int) -> int:
        if symbols != 2:
            raise InvalidValueError(
                f"loss binary_cross_entropy needs 2 symbols, not {symbols}; use cross_entropy"
            )
        return 1

    def value(self, logits: Array, targets: Array, steps: int) -> Any:
        losses = np.logaddexp(0, logits) - targets * logits
        return losses.sum(axis=(-1, -2)) * self._weight(logits, steps)

    def operations(self, logits: Array, targets: Array, steps: int, out: Array) -> list[Operation]:
        return [  # d_z = sigmoid(z) - y
            *activation("sigmoid", out.dtype).value(logits, out),
            partial(np.subtract, out, targets, out),
            *self._weighted(logits, steps, out),
        ]


@final
@dataclass(frozen=True)
class SquaredError(Loss):
    """(sigmoid(z) - y)**2 / 2 for every logit z: one logit for 2 symbols, else one per symbol.

    With ``reduction="sum"`` and batch 1 its gradient is the gradient of the tutorial: the error
    times the slope of the output's sigmoid.
    """

    name: ClassVar[str] = "squared_error"

    def outputs(self, symbols: int) -> int:
        return 1 if symbols == 2 else symbols

    def value(self, logits: Array, targets: Array, steps: int) -> Any:
        losses = (sigmoid(logits) - targets) ** 2
        return losses.sum(axis=(-1, -2)) * (self._weight(logits, steps) / 2)

    def operations(self, logits: Array, targets: Array, steps: int, out: Array) -> list[Operation]:
        function, slope = activation("sigmoid", out.dtype), np.empty_like(out)
        return [  # d_z = (sigmoid(z) - y) sigmoid'(z)
            *function.value(logits, out),
            *function.derivative(out, slope),
            partial(np.subtract, out, targets, out),
            partial(np.multiply, out, slope, out),
            *self._weighted(logits, steps, out),
        ]


@final
@dataclass(frozen=True)
class CrossEntropy(Loss):
    """log(sum_k exp(z_k)) - z_y for logits z and the expected symbol y."""

    name: ClassVar[str] = "cross_entropy"

    def outputs(self, symbols: int) -> int:
        return symbols

    def value(self, logits: Array, targets: Array, steps: int) -> Any:
        shifted = logits - logits.max(axis=-1, keepdims=True)
        losses = np.log(np.exp(shifted).sum(axis=-1)) - (shifted * targets).sum(axis=-1)
        return losses.sum(axis=-1) * self._weight(logits, steps)

    def operations(self, logits: Array, targets: Array, steps: int, out: Array) -> list[Operation]:
        row = np.empty_like(out[..., :1])
        return [  # d_z = softmax(z) - y, with the largest logit subtracted: exp cannot overflow
            partial(np.maximum.reduce, logits, axis=-1, keepdims=True, out=row),
            partial(np.subtract, logits, row, out),
            partial(np.exp, out, out),
            partial(np.add.reduce, out, axis=-1, keepdims=True, out=row),
            partial(np.divide, out, row, out),
            partial(np.subtract, out, targets, out),
            *self._weighted(logits, steps, out),
        ]
