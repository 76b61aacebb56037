"""What makes a network easy to prove: noise on its memory, and agreement where the machine agrees.

*Noise*: Gaussian, added to every memory while training. Only what saturated units hold outlives it,
so units saturate, and the network forgets small differences. It begins at a part of its strength
and grows while nearly all digits are right, so that it does not keep the network from learning.

*Synchrony*: two hidden vectors that follow the same state of the machine by the same letter stand
for the same past, so they should be the same vector. The penalty is

    synchrony / 2 * mean over steps and words of |h - m|**2

with h a hidden vector without its noise, and m the mean of those of its batch that follow the
same state by the same letter. As h depends on the noisy vector before it, this also punishes a
recurrence that magnifies noise. It begins when nearly all digits of a batch are right: before,
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
from seqarith.network import Unroll
from seqarith.training.batches import STREAM_NOISE, stream
from seqarith.training.config import TrainingConfig

POOL = 2**17
_SPREAD = 2654435761  # of the places where steps begin to read the pool: Knuth's multiplier
DECAY = 0.02
WELL = 0.98
"""Share of a batch's digits that must be right for the synchrony penalty to begin, and for noise
to grow."""

LEAST, CHANGE = 0.3, 0.05
"""Of the strength of noise: its part at first, and how much that changes at a look."""


@final
class Regularizers:
    """Noise and synchrony of a run; both are functions of seed and step.

    Args:
        config: The settings.
        unroll: Where the noise goes, and the penalty.
        each: Whether each of the networks side by side is regularized by itself.

    Attributes:
        state: What is kept from step to step, shape (S, 2) where ``each``, else (2,).
        begun: View of it: 1 where the synchrony penalty counts by now, else 0.
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
        """Whether the synchrony penalty counts by now, for any network."""
        return self._weight > 0 and bool(self.begun.any())

    def add_noise(self, step: int) -> None:
        """Write the noise of a step: a piece of a pool, since fresh numbers take longer."""
        noise = self._unroll.noise
        if noise is not None:
            start = step * _SPREAD % POOL
            piece = self._pool[start : start + noise.size].reshape(noise.shape)
            level = _by_network(self.level, 4).astype(noise.dtype)
            np.multiply(piece, level, out=noise)

    def add_penalty(self, moves: NDArray[np.integer]) -> None:
        """Add the gradient of the synchrony penalty to that by the hidden vectors.

        Args:
            moves: Number of the state before and the letter of every hidden vector, (T * B,).
        """
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

    def update(self, right: float | NDArray[np.floating[Any]]) -> None:
        """Take note of the share of a batch's digits that are right, of each network or of all."""
        well = np.greater_equal(right, WELL)
        np.maximum(self.begun, well, out=self.begun)
        self.level += np.where(well, CHANGE, -CHANGE)
        np.clip(self.level, LEAST, 1.0, out=self.level)

    def reset(self) -> None:
        """Begin anew, with other weights."""
        self.state[...] = 0, LEAST


def _by_network(values: NDArray[Any], axes: int) -> NDArray[Any]:
    """Return a value of each network, or of all, in a shape for arrays of so many axes.

    One network alone has no leading axis.
    """
    shape = () if values.size == 1 else (-1, *[1] * (axes - 1))
    return values.reshape(shape)


def _rows(units: Array) -> Array:
    """Return vectors (..., T, H, B) as rows (..., T * B, H)."""
    *leading, steps, width, batch = units.shape
    return np.swapaxes(units, -1, -2).reshape(*leading, steps * batch, width)


def _add(units: Array, order: NDArray[np.intp], rows: Array) -> None:
    """Add rows, in an order of the words, to vectors (..., T, H, B)."""
    added = np.empty_like(rows)
    added[..., order, :] = rows
    *leading, steps, width, batch = units.shape
    units += np.swapaxes(added.reshape(*leading, steps, batch, width), -1, -2)


def _apart(rows: Array, groups: Sequence[NDArray[np.intp]], weight: Array) -> Array:
    """Return how far rows (..., N, .) are from the mean of their group, weighted.

    Args:
        rows: In any order.
        groups: An order that puts rows of one group side by side, and their starts and sizes in it.
        weight: Of every network, shape (..., 1, 1).

    Returns:
        In that order.
    """
    order, starts, sizes = groups
    apart: Array = rows.take(order, axis=-2)
    means = np.add.reduceat(apart, starts, axis=-2)
    means /= sizes[:, None]
    apart -= means.repeat(sizes, axis=-2)
    apart *= weight
    return apart
