"""The squashing functions of a cell, with their derivatives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]


@final
@dataclass(frozen=True)
class Activation:
    """A function of one number, applied elementwise into a given array.

    Attributes:
        apply: ``apply(x, out)`` writes f(x); ``out`` may be ``x``.
        derivative: ``derivative(y, out)`` writes f'(x) for y = f(x).
    """

    name: str
    apply: Callable[[Array, Array], None]
    derivative: Callable[[Array, Array], None]


def _tanh(x: Array, out: Array) -> None:
    np.tanh(x, out=out)


def _tanh_derivative(y: Array, out: Array) -> None:
    """Write 1 - y**2."""
    np.multiply(y, y, out=out)
    np.subtract(1, out, out=out)


def sigmoid(x: Array, out: Array) -> None:
    """Write 1 / (1 + exp(-x)) as tanh(x / 2) / 2 + 1/2: the same function, which cannot overflow."""
    np.multiply(x, 0.5, out=out)
    np.tanh(out, out=out)
    np.multiply(out, 0.5, out=out)
    np.add(out, 0.5, out=out)


def _sigmoid_derivative(y: Array, out: Array) -> None:
    """Write y (1 - y)."""
    np.subtract(1, y, out=out)
    np.multiply(out, y, out=out)


ACTIVATIONS = {
    "tanh": Activation("tanh", _tanh, _tanh_derivative),
    "sigmoid": Activation("sigmoid", sigmoid, _sigmoid_derivative),
}
