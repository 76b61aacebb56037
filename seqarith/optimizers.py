"""Optimizers: how a gradient changes the parameters.

An optimizer is a frozen dataclass of options. The caller keeps its memory, a dict of arrays,
so that a run can be saved and resumed. Updates work in place and allocate nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, final

import numpy as np

from seqarith.cells.cell import Array
from seqarith.errors import InvalidValueError

Memory = dict[str, Array]
SCRATCH = "scratch"


class Optimizer(ABC):
    """The contract of an optimizer."""

    name: ClassVar[str]
    rate: ClassVar[float]
    """The default learning rate."""
    slots: ClassVar[tuple[str, ...]]
    """Names of the arrays that are kept from step to step, each like the parameters."""

    def start(self, parameters: Array) -> Memory:
        """Return the memory before the first step: a zero array per slot, and a scratch array."""
        return {name: np.zeros_like(parameters) for name in (*self.slots, SCRATCH)}

    @abstractmethod
    def update(
        self, parameters: Array, gradient: Array, memory: Memory, rate: float, step: int
    ) -> None:
        """Change parameters and memory in place.

        Args:
            parameters: Shape (...).
            gradient: Same shape; may be overwritten.
            memory: The arrays that `start` made.
            rate: Learning rate of this step.
            step: Number of this step, from 1.
        """


@final
@dataclass(frozen=True)
class SGD(Optimizer):
    """v <- momentum v + g; p <- p - rate v, or with Nesterov p <- p - rate (g + momentum v).

    Args:
        momentum: 0 (plain gradient descent) up to, not including, 1.
        nesterov: Look ahead; needs momentum.

    Raises:
        InvalidValueError: A value is out of range.

    Source: I. Sutskever and others, On the importance of initialization and momentum in deep
    learning (2013), in the form of PyTorch: the rate multiplies the velocity, not the gradient
    within it.
    """

    momentum: float = 0.0
    nesterov: bool = False

    name: ClassVar[str] = "sgd"
    rate: ClassVar[float] = 0.5
    slots: ClassVar[tuple[str, ...]] = ("velocity",)

    def __post_init__(self) -> None:
        _check_share("momentum", self.momentum)
        if self.nesterov and not self.momentum:
            raise InvalidValueError("nesterov needs momentum; set momentum, for instance to 0.9")

    def update(
        self, parameters: Array, gradient: Array, memory: Memory, rate: float, step: int
    ) -> None:
        change, velocity, scratch = gradient, memory["velocity"], memory[SCRATCH]
        if self.momentum:
            velocity *= self.momentum
            velocity += gradient
            change = velocity
        if self.nesterov:
            np.multiply(velocity, self.momentum, scratch)
            scratch += gradient
            change = scratch
        np.multiply(change, rate, scratch)
        parameters -= scratch


@final
@dataclass(frozen=True)
class RMSProp(Optimizer):
    """v <- decay v + (1 - decay) g**2; p <- p - rate g / (sqrt(v) + epsilon).

    Args:
        decay: 0 up to, not including, 1.
        epsilon: Above 0.

    Raises:
        InvalidValueError: A value is out of range.

    Source: T. Tieleman and G. Hinton, Lecture 6.5 of Neural Networks for Machine Learning
    (2012); epsilon is added outside the root, as in PyTorch.
    """

    decay: float = 0.99
    epsilon: float = 1e-8

    name: ClassVar[str] = "rmsprop"
    rate: ClassVar[float] = 0.01
    slots: ClassVar[tuple[str, ...]] = ("square",)

    def __post_init__(self) -> None:
        _check_share("decay", self.decay)
        _check_positive("epsilon", self.epsilon)

    def update(
        self, parameters: Array, gradient: Array, memory: Memory, rate: float, step: int
    ) -> None:
        square, scratch = memory["square"], memory[SCRATCH]
        np.multiply(gradient, gradient, scratch)
        _average(square, scratch, _weights(self.decay, square.dtype), scratch)
        np.sqrt(square, scratch)
        scratch += self.epsilon
        np.divide(gradient, scratch, scratch)
        scratch *= rate
        parameters -= scratch


@final
@dataclass(frozen=True)
class Adam(Optimizer):
    """p <- p - rate m' / (sqrt(v') + epsilon), m' and v' the unbiased averages of g and g**2.

    Args:
        beta1: Decay of the average of g: 0 up to, not including, 1.
        beta2: Decay of the average of g**2, in the same range.
        epsilon: Above 0.

    Raises:
        InvalidValueError: A value is out of range.

    Source: D. P. Kingma and J. Ba, Adam (2015), algorithm 1, computed in the order given at the
    end of its section 2: the bias corrections are applied to the rate and to epsilon.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    name: ClassVar[str] = "adam"
    rate: ClassVar[float] = 0.03
    slots: ClassVar[tuple[str, ...]] = ("mean", "square")

    def __post_init__(self) -> None:
        _check_share("beta1", self.beta1)
        _check_share("beta2", self.beta2)
        _check_positive("epsilon", self.epsilon)

    def update(
        self, parameters: Array, gradient: Array, memory: Memory, rate: float, step: int
    ) -> None:
        mean, square, scratch = memory["mean"], memory["square"], memory[SCRATCH]
        correction = (1 - self.beta2**step) ** 0.5
        _average(mean, gradient, _weights(self.beta1, mean.dtype), scratch)
        np.multiply(gradient, gradient, scratch)
        _average(square, scratch, _weights(self.beta2, mean.dtype), scratch)
        # p <- p - scale mean / (sqrt(square) + epsilon): an operation a line, nothing allocated.
        np.sqrt(square, scratch)
        scratch += np.array(self.epsilon * correction, mean.dtype)
        np.divide(mean, scratch, scratch)
        scratch *= np.array(rate * correction / (1 - self.beta1**step), mean.dtype)
        parameters -= scratch


@cache
def _weights(decay: float, dtype: np.dtype[Any]) -> tuple[Array, Array]:
    """Return decay and 1 - decay as arrays without axes.

    NumPy takes them in half the time that it needs for Python numbers, with the same result.
    """
    return np.array(decay, dtype), np.array(1 - decay, dtype)


def _average(average: Array, values: Array, weights: tuple[Array, Array], scratch: Array) -> None:
    """Set average to decay average + (1 - decay) values; ``scratch`` may be ``values``."""
    decay, share = weights
    average *= decay
    np.multiply(values, share, scratch)
    average += scratch


def clip(gradient: Array, limit: float) -> None:
    """Scale gradients (..., size) down, in place, to a Euclidean norm of at most ``limit`` each.

    Source: R. Pascanu, T. Mikolov and Y. Bengio, On the difficulty of training recurrent neural
    networks (2013), algorithm 1.
    """
    if gradient.ndim == 1:
        square = float(gradient.dot(gradient))
        if square > limit * limit:
            np.multiply(gradient, np.array(limit / square**0.5, gradient.dtype), gradient)
        return
    norms = np.sqrt(np.einsum("...p,...p->...", gradient, gradient))[..., None]
    np.multiply(gradient, limit / np.maximum(norms, limit), out=gradient)


def _check_share(name: str, value: float) -> None:
    if not 0 <= value < 1:
        raise InvalidValueError(f"{name} {value}: expected at least 0 and below 1")


def _check_positive(name: str, value: float) -> None:
    if not 0 < value < float("inf"):
        raise InvalidValueError(f"{name} {value}: expected a number above 0")
