"""The activation functions of a cell, with their derivatives."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cache, partial
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Operation = Callable[[], object]
"""One array operation, bound to its operands and its result, which runs once per batch."""


def run(operations: list[Operation]) -> None:
    """Run operations in order."""
    for operation in operations:
        operation()


class Activation(ABC):
    """A function of one number, elementwise.

    Args:
        dtype: Type of the arrays. The constants are arrays of that type without axes: NumPy takes
            them in half the time that it needs for a Python number.
    """

    name: ClassVar[str]
    scale: ClassVar[float] = 1.0
    """A factor of x that `of_scaled` expects the weights to contain already: it saves a product."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self._one, self._half = np.array(1, dtype), np.array(0.5, dtype)

    @abstractmethod
    def value(self, x: Array, out: Array) -> list[Operation]:
        """Return the operations that write f(x) into ``out``, which may be ``x``."""

    def of_scaled(self, x: Array, out: Array) -> list[Operation]:
        """Return the operations that write f(x / scale) into ``out``, which may be ``x``."""
        return self.value(x, out)

    @abstractmethod
    def derivative(self, y: Array, out: Array) -> list[Operation]:
        """Return the operations that write f'(x), for y = f(x), into ``out``, another array."""


@final
class Tanh(Activation):
    """The hyperbolic tangent; its derivative is 1 - y**2."""

    name = "tanh"

    def value(self, x: Array, out: Array) -> list[Operation]:
        return [partial(np.tanh, x, out)]

    def derivative(self, y: Array, out: Array) -> list[Operation]:
        return [partial(np.multiply, y, y, out), partial(np.subtract, self._one, out, out)]


@final
class Sigmoid(Activation):
    """1 / (1 + exp(-x)), computed as tanh(x / 2) / 2 + 1/2, which cannot overflow.

    Its derivative is y (1 - y).
    """

    name = "sigmoid"
    scale = 0.5

    def value(self, x: Array, out: Array) -> list[Operation]:
        return [partial(np.multiply, x, self._half, out), *self.of_scaled(out, out)]

    def of_scaled(self, x: Array, out: Array) -> list[Operation]:
        half = self._half
        return [
            partial(np.tanh, x, out),
            partial(np.multiply, out, half, out),
            partial(np.add, out, half, out),
        ]

    def derivative(self, y: Array, out: Array) -> list[Operation]:
        return [partial(np.subtract, self._one, y, out), partial(np.multiply, out, y, out)]


ACTIVATIONS: dict[str, type[Activation]] = {kind.name: kind for kind in (Tanh, Sigmoid)}


@cache
def activation(name: str, dtype: np.dtype[Any]) -> Activation:
    """Return the activation of that name for arrays of that type."""
    return ACTIVATIONS[name](dtype)


def sigmoid(x: Array, out: Array | None = None) -> Array:
    """Return 1 / (1 + exp(-x)), in a new array or in ``out``."""
    result = np.empty_like(x) if out is None else out
    run(activation("sigmoid", x.dtype).value(x, result))
    return result
