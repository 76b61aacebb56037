"""The inference pass: letters in, logits and emitted symbols out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import final

import numpy as np
from numpy.typing import NDArray

from seqarith.cells.cell import Array
from seqarith.cells.domains.floats import FloatStep
from seqarith.cells.recording import READOUT_BIAS, READOUT_WEIGHT
from seqarith.cells.tapes.operations import weighed
from seqarith.network.network import VECTORS, Network
from seqarith.network.parameters import Parameters


@final
class InferencePass:
    """A trained network for inference: letters in, logits out.

    Args:
        network: The network.
        parameters: Its parameters.
        vectors: The input vector of every letter, shape (A, D).
    """

    def __init__(self, network: Network, parameters: Parameters, vectors: Array) -> None:
        self.network = network
        arrays = parameters.arrays
        vectors = arrays.get(VECTORS, vectors.astype(network.dtype, copy=False))
        with np.errstate(over="ignore", invalid="ignore"):  # as in `seqarith.execution.emit`
            self._step = FloatStep(network.step, arrays, vectors)
        self._weight = np.ascontiguousarray(arrays[READOUT_WEIGHT].T)
        bias = arrays[READOUT_BIAS] if network.readout_bias else None
        self._threshold = np.array(network.threshold, network.dtype)
        self._bias = bias

    @property
    def rounding(self) -> float:
        """Bound on the rounding error of a logit, for exact hidden vectors in [-1, 1]."""
        with np.errstate(over="ignore"):  # an infinite bound says that no logit is certain
            terms = np.abs(self._weight.astype(np.float64)).sum(axis=0)
            if self._bias is not None:
                terms = terms + np.abs(self._bias)
        unit = float(np.finfo(self.network.dtype).eps) / 2
        return 2 * (self.network.hidden + 1) * unit * float(terms.max())

    def start(self, count: int) -> Array:
        """Return the memories before the first letter, shape (N, M)."""
        return np.zeros((self.network.memory, count), self.network.dtype).T

    def step(self, memory: Array, letters: NDArray[np.intp]) -> Array:
        """Return the memories (N, M) after one letter each, shape (N,)."""
        return self._step.step(memory, letters)

    def branch(self, memory: Array, letters: Iterable[int]) -> Iterator[Array]:
        """Yield the memories (N, M) after each of some letters.

        Values that depend on the memory alone are computed once for all letters.
        """
        return self._step.branch(memory, letters)

    def logits(self, memory: Array) -> Array:
        """Return the logits (N, K) of memories (N, M), minus the threshold."""
        logits = weighed(memory[..., : self.network.hidden], self._weight)
        logits = logits if self._bias is None else logits + self._bias
        return logits - self._threshold if self._threshold else logits

    def memories(self, letters: NDArray[np.intp]) -> Iterator[Array]:
        """Yield the memories (N, M) of words (T, N) before the first letter and after each."""
        memory = self.start(letters.shape[1])
        yield memory
        for letter in letters:
            memory = self.step(memory, letter)
            yield memory

    def run(self, letters: NDArray[np.intp]) -> Iterator[Array]:
        """Yield the logits (N, K) after every step of words, shape (T, N), in constant memory."""
        memories = self.memories(letters)
        next(memories)
        return map(self.logits, memories)


def emitted(logits: Array) -> NDArray[np.intp]:
    """Return the symbols emitted for logits (..., K), shape (...)."""
    if logits.shape[-1] == 1:
        return (logits[..., 0] > 0).astype(np.intp)
    largest: NDArray[np.intp] = logits.argmax(axis=-1)
    return largest


def margins(logits: Array, symbols: NDArray[np.intp]) -> Array:
    """Return the margin by which logits (..., K) favour symbols (...); negative: they do not.

    For K = 1 it is the logit, with the sign of the digit; for K > 1 the distance to the largest
    other logit.
    """
    if logits.shape[-1] == 1:
        margin: Array = np.where(symbols == 1, logits[..., 0], -logits[..., 0])
        return margin
    chosen = symbols[..., None]
    right = np.take_along_axis(logits, chosen, axis=-1)[..., 0]
    others = logits.copy()
    np.put_along_axis(others, chosen, -np.inf, axis=-1)
    distance: Array = right - others.max(axis=-1)
    return distance
