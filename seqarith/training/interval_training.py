"""Interval training (IBP): a box of hidden vectors for each state of the machine, and no words.

The box prover finds one box for each state of the machine and the letter read last. It rarely
succeeds if the network has learned many letters from words: a unit that depends on the letter
widens its box, and through the recurrent weights every other box. So here the network learns from
boxes. The interval of a unit in state q has a mean m and a spread s: from m - level * s to
m + level * s. One step propagates each box, and the initial hidden vector, through every letter by
interval arithmetic. The loss is the loss of the worst logits in each image, and the images with the
same next state give its next intervals:

    m = mean of their centres,  s**2 = mean of |centre - m|**2 + radius**2

The level grows while no image contains a wrong digit. At level 0 the network only has to separate
the means, which it learns fast; at a high level only units that do not depend on the letter may
feed back. Two things help: all weights of the recurrence grow a little while every digit is
correct, so that units saturate, and recurrent weights decay by the spread of the unit they read.

With many states boxes may *burst*: at some level they feed one another, until within a few steps
every unit can have any value. Such a step destroys what was learned. It is undone at once: the
boxes become points again, at a lower level.

Source: the loss of worst logits, Gowal et al., On the Effectiveness of Interval Bound Propagation
for Training Verifiably Robust Models (2018). We found no earlier use on the states of a machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from seqarith.cells.activations import run
from seqarith.cells.cell import Array
from seqarith.cells.tapes.elman import ElmanTraining
from seqarith.losses import encode
from seqarith.network import READOUT, margins
from seqarith.training.batched import BatchedNetworks
from seqarith.training.config import TrainingConfig
from seqarith.training.interval_schedule import schedule_of

CHANGE, HIGHEST, TRIED = 0.02, 8.0, 1.0
"""The level: its change per step, its maximum, and the least level at which a proof is tried."""

CALM, KEPT = 0.2, 0.7
"""Level up to which boxes do not burst, and the factor of the level after a burst."""

GROWTH, MAX_GROWN_WEIGHT = 0.002, 30.0
"""Relative growth of the weights per step, and the size at which it ends."""

LEAP = 8.0
"""Factor of the optimizer's step for the weights of the input and the bias."""

ROUNDS = 20
"""Steps that decide whether a proof is worth trying."""

_LEAST_SPREAD = 1e-4


@final
@dataclass(frozen=True, eq=False)
class _Images:
    """The images of boxes (..., Q + 1, H) under all N = (Q + 1) A moves.

    Attributes:
        centre, radius: The boxes before the step, (..., Q + 1, H).
        low, high: Bounds of their images, (..., N, H).
        apart: Images' centres minus the mean of all with the same next state, (..., N, H).
        spread: The spread of the next states, (..., Q, H).
    """

    centre: Array
    radius: Array
    low: Array
    high: Array
    apart: Array
    spread: Array


@final
class IntervalTraining:
    """The intervals of networks side by side, and the training on them.

    Args:
        config: The settings.
        networks: The networks.

    Attributes:
        schedule: The learning rate, its decay and more.
        state: Means, spreads and level, kept from step to step, (..., 2 Q H + 1).
        margin: The least margin of the last step, (...).
    """

    def __init__(self, config: TrainingConfig, networks: BatchedNetworks) -> None:
        task = config.built_task
        machine, elman, self._networks = task.machine, config.network.training, networks
        assert machine is not None
        assert isinstance(elman, ElmanTraining)
        self.schedule, self._patience = schedule_of(machine), config.patience
        states = np.append(np.arange(machine.states), machine.initial)
        self._after = machine.next_state[states].ravel()
        self._symbols = machine.output[states].ravel()
        outputs, dtype = config.network.outputs, config.dtype
        self._share = np.equal.outer(np.arange(machine.states), self._after).astype(dtype)
        self._share /= np.maximum(self._share.sum(1, keepdims=True), 1)
        self._vectors = config.vectors.astype(dtype)
        self._from_input, self._recurrent, self._bias = elman.parts(networks.kernels)
        self._d_input, self._d_recurrent, self._d_bias = elman.parts(networks.gradients)
        # The worst logits: as small as possible for the expected digit, as large for the others.
        self._worse = -np.ones((len(self._after), outputs), dtype)
        if outputs == 1:
            self._worse[self._symbols == 0] = 1
        else:
            self._worse += 2 * (encode(self._symbols, outputs, dtype) == 0)
        leading = networks.flat.shape[:-1]
        self._targets = encode(self._symbols, outputs, dtype)
        self._logits = np.empty((*leading, len(self._after), outputs), dtype)
        self._d_logits = np.empty_like(self._logits)
        self._loss = config.built_loss.operations(self._logits, self._targets, 1, self._d_logits)
        self._shape = (*leading, machine.states, config.width)
        self.state = np.zeros((*leading, config.interval_size), dtype)
        self.margin = np.full(leading, -np.inf, dtype)
        self._burst = np.zeros(leading, np.bool)

    @property
    def level(self) -> Array:
        """The level of every network, shape (...)."""
        return self.state[..., -1]

    def is_promising(self) -> bool:
        """Return whether a proof is likely: boxes around all images contain no wrong digit.

        It makes a few steps like the prover, with fewer boxes, which takes much less time.
        """
        if not ((self.level >= TRIED) & (self.margin > 0)).any():
            return False
        image, correct = self._last, np.ones(self.margin.shape, np.bool)
        for _ in range(ROUNDS):
            low, high = self._hull(image.low, np.minimum), self._hull(image.high, np.maximum)
            image = self._stepped((low + high) / 2, (high - low) / 2)
            self._read((image.low + image.high) / 2, (image.high - image.low) / 2)
            correct &= self._margins() > 0
        return bool(correct.any())

    def _hull(self, bound: Array, join: np.ufunc) -> Array:
        """Return the least or greatest bound (..., Q, H) of the images in every state."""
        moves = [np.flatnonzero(row) for row in self._share]
        return np.stack([join.reduce(bound[..., into, :], axis=-2) for into in moves], -2)

    def reset(self) -> None:
        """Start a new attempt."""
        self.state[...] = 0

    def compute_gradient(self) -> None:
        """Write the gradient of the loss, and advance the intervals by a few steps."""
        self._networks.gradient[...] = 0
        level = self.level[..., None, None]
        mean, spread = (part.reshape(self._shape) for part in np.split(self.state[..., :-1], 2, -1))
        images = []
        for _ in range(self.schedule.steps):
            images.append(self._stepped(mean, level * spread))
            mean = self._share @ ((images[-1].low + images[-1].high) / 2)
            spread = images[-1].spread
        flat = (*self._shape[:-2], -1)
        self._last = images[-1]
        self.state[..., :-1] = np.concatenate((mean.reshape(flat), spread.reshape(flat)), -1)
        self.margin[...] = np.inf
        d_mean, d_spread = np.zeros_like(mean), np.zeros_like(spread)
        for image in reversed(images):
            d_mean, d_radius = self._stepped_back(image, d_mean, d_spread)
            d_spread = level * d_radius
        change = np.where(self.margin > 0, CHANGE, -CHANGE)
        self._burst = (self.margin < self.schedule.burst) & (self.level > CALM)
        self.state[..., -1] = np.clip(self.level + change, 0, HIGHEST)
        if self._burst.any():
            self._calm()

    def _calm(self) -> None:
        """Turn burst boxes into points, lower the level, and discard their gradient."""
        kept = ~self._burst[..., None]
        self._networks.gradient *= kept
        self.state[..., self.state.shape[-1] // 2 : -1] *= kept
        self.state[..., -1] *= np.where(self._burst, KEPT, 1)

    def _stepped(self, mean: Array, radius: Array) -> _Images:
        """Propagate the boxes and the initial hidden vector through every letter."""
        start = np.zeros_like(mean[..., :1, :])
        centre, radius = (np.concatenate((part, start), -2) for part in (mean, radius))
        # Centre and radius form: W [c - r, c + r] = W c -+ |W| r, with two products.
        reach = radius @ np.abs(self._recurrent)
        moved = centre @ self._recurrent
        drive = self._vectors @ self._from_input
        if self._bias.size:
            drive = drive + self._bias
        low, high = (
            np.tanh(bound[..., :, None, :] + drive[..., None, :, :]).reshape(
                *self._shape[:-2], len(self._after), self._shape[-1]
            )
            for bound in (moved - reach, moved + reach)
        )
        middle = (low + high) / 2
        apart = middle - (self._share @ middle)[..., self._after, :]
        square = self._share @ (apart**2 + ((high - low) / 2) ** 2)
        return _Images(centre, radius, low, high, apart, np.sqrt(square + _LEAST_SPREAD**2))

    def _stepped_back(self, image: _Images, d_mean: Array, d_spread: Array) -> tuple[Array, Array]:
        """Add the gradient of one step; return the gradient by means and radii before it."""
        radius = (image.high - image.low) / 2
        d_middle, d_radius = self._read_back((image.low + image.high) / 2, radius)
        shared = self._share.T @ (d_spread / image.spread)
        d_middle = d_middle + self._share.T @ d_mean + shared * image.apart
        d_radius = d_radius + shared * radius
        d_low = (d_middle - d_radius) / 2 * (1 - image.low**2)
        d_high = (d_middle + d_radius) / 2 * (1 - image.high**2)
        moves = (*self._shape[:-2], self._shape[-2] + 1, -1, self._shape[-1])
        d_sums, d_reach = (by.reshape(moves) for by in (d_low + d_high, d_high - d_low))
        d_drive = d_sums.sum(-3)
        d_moved, d_reach = d_sums.sum(-2), d_reach.sum(-2)
        self._d_input += self._vectors.T @ d_drive
        self._d_bias += d_drive.sum(-2, keepdims=True)[..., : self._d_bias.shape[-2], :]
        weights, sizes = np.swapaxes(self._recurrent, -1, -2), np.sign(self._recurrent)
        self._d_recurrent += np.swapaxes(image.centre, -1, -2) @ d_moved
        self._d_recurrent += sizes * (np.swapaxes(image.radius, -1, -2) @ d_reach)
        d_centre, d_radius = d_moved @ weights, d_reach @ np.abs(weights)
        return d_centre[..., :-1, :], d_radius[..., :-1, :]

    def _read(self, middle: Array, radius: Array) -> Array:
        """Write the worst logits in boxes (..., N, H); return the readout's weights."""
        readout, width = self._networks.kernels[READOUT], self._shape[-1]
        weight: Array = readout[..., :width, :]
        self._logits[...] = middle @ weight + self._worse * (radius @ np.abs(weight))
        self._logits += readout[..., width:, :].sum(-2, keepdims=True)
        return weight

    def _margins(self) -> Array:
        """Return the least margin of the worst logits, (...)."""
        symbols = np.broadcast_to(self._symbols, self._logits.shape[:-1])
        least: Array = margins(self._logits, symbols).min(-1)
        return least

    def _read_back(self, middle: Array, radius: Array) -> tuple[Array, Array]:
        """Add the gradient of the readout; return the gradient by centres and radii of images."""
        width, weight = self._shape[-1], self._read(middle, radius)
        gradient = self._networks.gradients[READOUT]
        np.minimum(self.margin, self._margins(), out=self.margin)
        run(self._loss)
        d_middle = self._d_logits / self.schedule.steps
        d_radius = d_middle * self._worse
        gradient[..., :width, :] += np.swapaxes(middle, -1, -2) @ d_middle
        gradient[..., :width, :] += np.sign(weight) * (np.swapaxes(radius, -1, -2) @ d_radius)
        bias = gradient[..., width:, :]
        bias += d_middle.sum(-2, keepdims=True)[..., : bias.shape[-2], :]
        back = np.swapaxes(weight, -1, -2)
        return d_middle @ back, d_radius @ np.abs(back)

    def update(self, rate: float, step: int) -> None:
        """Make a step of the optimizer, then let weights grow and decay: see the module.

        Args:
            rate: Learning rate, without the decay of the schedule.
            step: Number of the step since the parameters were drawn, from 1.
        """
        rate *= self.schedule.decay(step - 1, self._patience)
        before = self._networks.flat.copy()
        input_before, bias_before = self._from_input.copy(), self._bias.copy()
        self._networks.update(rate, step)
        self._from_input += (LEAP - 1) * (self._from_input - input_before)
        self._bias += (LEAP - 1) * (self._bias - bias_before)
        # While every digit is correct, weights grow, so that units saturate.
        correct = (self.margin > 0)[..., None, None]
        for part in (self._from_input, self._recurrent, self._bias):
            part[...] *= np.where(correct & (np.abs(part) < MAX_GROWN_WEIGHT), 1 + GROWTH, 1)
        spread = np.split(self.state[..., :-1], 2, -1)[1].reshape(self._shape)
        # Soft threshold: shrinks weights of units with a wide spread, small ones to exactly 0.
        least = rate * self.schedule.shrinkage * spread.max(-2)[..., :, None]
        size = np.maximum(np.abs(self._recurrent) - least, 0)
        self._recurrent[...] = np.sign(self._recurrent) * size
        self._networks.flat[...] = np.where(self._burst[..., None], before, self._networks.flat)
