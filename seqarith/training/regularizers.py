"""Regularizers that make a network easy to prove: noise on its memory, and synchrony.

*Noise*: Gaussian, added to every memory in training. Only saturated units keep their value under
noise, so units saturate, and the network forgets small differences. Noise starts weak and grows
while nearly all digits are correct, so that it does not prevent learning.

*Synchrony*: two hidden vectors that follow the same state of the machine by the same letter have
nothing different to remember, so they should be equal. The penalty is

    synchrony / 2 * mean over steps and words of |h - m|**2

with h a hidden vector without its noise, and m the mean of the vectors of its batch that follow the
same state by the same letter. As h depends on the noisy vector before it, this also penalizes a
recurrence that amplifies noise. It starts when nearly all digits of a batch are correct: before,
the easiest way to agree is to remember nothing.

Source: noise on the hidden vectors, Jim, Giles and Horne, An Analysis of Noise in Recurrent Neural
Networks: Convergence and Generalization (1996). We found no earlier use of the synchrony penalty.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from seqarith.cells.cell import Array
from seqarith.network.unroll import Unroll
from seqarith.training.batches import STREAM_NOISE, stream
from seqarith.training.config import TrainingConfig

POOL = 2**17
"""Places at which a step can start to read the pool of random numbers."""

_SPREAD = 2654435761  # Knuth's multiplicative hash: spreads the starts of steps over the pool
DECAY = 0.02
"""Weight decay on the rest of the memory, such as an LSTM's cell state, relative to synchrony."""

WELL = 0.98
"""Share of correct digits in a batch from which the synchrony penalty starts and noise grows."""

LEAST, CHANGE = 0.3, 0.05
"""The level of noise: its start and minimum, and its change per check of the batch."""


@final
class Regularizers:
    """Noise and synchrony of a run; both depend on seed and step alone.

    Args:
        config: The settings.
        unroll: The training pass to which noise and penalty are added.
        each: Whether each network has its own state, instead of one state for all.

    Attributes:
        state: Kept from step to step, shape (S, 2) if ``each``, else (2,).
        begun: View of it: 1 if the synchrony penalty has started, else 0.
        level: View of it: the level of the noise, 0 to 1.
    """

    def __init__(self, config: TrainingConfig, unroll: Unroll, each: bool = False) -> None:
        self._unroll, self._weight = unroll, config.synchrony_weight
        self.state = np.zeros((config.candidates, 2) if each else 2)
        self.begun, self.level = self.state[..., 0], self.state[..., 1]
        self.reset()
        if unroll.noise is not None:
            rng = stream(config.seed, STREAM_NOISE)
            self._pool = rng.standard_normal(POOL + unroll.noise.size, np.dtype(config.dtype))
            self._pool *= config.hidden_noise

    @property
    def used(self) -> bool:
        """Whether there is noise or synchrony at all."""
        return self._unroll.noise is not None or self._weight > 0

    @property
    def active(self) -> bool:
        """Whether the synchrony penalty has started for any network."""
        return self._weight > 0 and bool(self.begun.any())

    def add_noise(self, step: int) -> None:
        """Write the noise of a step: a slice of a pool, which is faster than new random numbers."""
        noise = self._unroll.noise
        if noise is not None:
            start = step * _SPREAD % POOL
            piece = self._pool[start : start + noise.size].reshape(noise.shape)
            level = _by_network(self.level, 4).astype(noise.dtype)
            np.multiply(piece, level, out=noise)

    def add_penalty(self, moves: NDArray[np.integer]) -> None:
        """Add the gradient of the synchrony penalty to the hidden gradient.

        Args:
            moves: ``state * A + letter`` of the step to every hidden vector, shape (T * B,).
        """
        # Sort the vectors by group, so that `reduceat` sums each group in one call.
        order = moves.argsort(kind="stable")
        ordered = moves[order]
        starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
        groups = order, starts, np.diff(starts, append=len(moves))
        unroll = self._unroll
        weight = _by_network(self._weight / len(moves) * self.begun, 3).astype(unroll.clean.dtype)
        _add(unroll.hidden_gradient, order, _apart(_rows(unroll.clean), groups, weight))
        if unroll.rest_gradient is not None:
            unroll.rest_gradient[...] = DECAY * weight[..., None] * unroll.rest
            _add(unroll.rest_gradient, order, _apart(_rows(unroll.rest), groups, weight))

    def update(self, correct: float | NDArray[np.floating[Any]]) -> None:
        """Update the state by the share of correct digits in a batch, per network or for all."""
        well = np.greater_equal(correct, WELL)
        np.maximum(self.begun, well, out=self.begun)
        self.level += np.where(well, CHANGE, -CHANGE)
        np.clip(self.level, LEAST, 1.0, out=self.level)

    def reset(self) -> None:
        """Start a new attempt."""
        self.state[...] = 0, LEAST


def _by_network(values: NDArray[Any], axes: int) -> NDArray[Any]:
    """Return a value per network, or for all, in a shape for arrays with ``axes`` axes.

    A single network has no leading axis.
    """
    shape = () if values.size == 1 else (-1, *[1] * (axes - 1))
    return values.reshape(shape)


def _rows(units: Array) -> Array:
    """Return vectors (..., T, H, B) as rows (..., T * B, H)."""
    *leading, steps, width, batch = units.shape
    return np.swapaxes(units, -1, -2).reshape(*leading, steps * batch, width)


def _add(units: Array, order: NDArray[np.intp], rows: Array) -> None:
    """Add sorted rows to vectors (..., T, H, B); ``order`` is the permutation that sorted them."""
    added = np.empty_like(rows)
    added[..., order, :] = rows
    *leading, steps, width, batch = units.shape
    units += np.swapaxes(added.reshape(*leading, steps, batch, width), -1, -2)


def _apart(rows: Array, groups: Sequence[NDArray[np.intp]], weight: Array) -> Array:
    """Return the weighted differences of rows (..., N, .) from the mean of their group.

    Args:
        rows: Rows in any order.
        groups: An order that sorts rows by group, and the starts and sizes of groups in it.
        weight: Weight of every network, shape (..., 1, 1).

    Returns:
        Rows in the sorted order.
    """
    order, starts, sizes = groups
    apart: Array = rows.take(order, axis=-2)
    means = np.add.reduceat(apart, starts, axis=-2)
    means /= sizes[:, None]
    apart -= means.repeat(sizes, axis=-2)
    apart *= weight
    return apart
