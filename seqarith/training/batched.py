"""Networks trained side by side: their parameters, passes and optimizer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np

from seqarith.cells.activations import run
from seqarith.cells.cell import Array
from seqarith.network import Parameters
from seqarith.network.unroll import Penalty, Unroll
from seqarith.optimizers import SCRATCH, Memory, clip
from seqarith.training.batches import STREAM_INITIAL, stream
from seqarith.training.config import TrainingConfig


@final
class Pass:
    """Forward and backward pass over batches of one shape: input vectors in, gradient out.

    Args:
        config: The settings.
        parameters: The networks' parameters.
        gradients: The passes write the gradient here.
        steps: Length T of the words.
        batch: Words B.
        noisy: Whether there is noise on the hidden vectors.
    """

    def __init__(
        self,
        config: TrainingConfig,
        parameters: Parameters,
        gradients: Parameters,
        steps: int,
        batch: int,
        noisy: bool = False,
    ) -> None:
        penalised = config.synchrony_weight > 0
        self.unroll = Unroll(config.network, parameters, gradients, steps, batch, noisy, penalised)
        logits = self.unroll.logits
        self._targets = np.empty(logits.shape[-2:], config.dtype)
        self._loss = config.built_loss.operations(
            logits, self._targets, steps, self.unroll.logit_gradient
        )

    def run(self, inputs: Array, targets: Array, penalty: Penalty | None = None) -> None:
        """Write the gradient for a batch: input vectors (T, B, D), targets (T * B, K)."""
        self.unroll.inputs[...] = inputs
        self._targets[...] = targets
        _, backward = self.unroll.forward()
        run(self._loss)
        backward(penalty)


@final
class BatchedNetworks:
    """One network, or S of them on a leading axis, which read the same words.

    Small networks side by side cost little more than one: the fixed cost of an array operation is
    paid once for all.

    Args:
        config: The settings; ``candidates`` is S.
        seeds: The seed of each network's initial weights; None: the run's seed determines all.

    Attributes:
        flat: All parameters, shape (size,), or (S, size).
        gradient: Their gradient, same shape.
        kernels, gradients: Views of both by name.
        memory: The optimizer's memory.
    """

    def __init__(self, config: TrainingConfig, seeds: Sequence[int] | None = None) -> None:
        self._config, self._network, self._seeds = config, config.network, seeds
        leading = (config.candidates,) if config.candidates > 1 else ()
        self._parameters = self._network.trainable(leading)
        self._gradients = self._network.trainable(leading)
        self.kernels, self.gradients = self._parameters.arrays, self._gradients.arrays
        self.flat, self.gradient = self._parameters.flat, self._gradients.flat
        self.memory: Memory = config.built_optimizer.start(self.flat)

    def initialise(self, attempt: int) -> None:
        """Draw the initial parameters, different ones in every attempt, and clear the memory."""
        config = self._config
        rows = self.flat.reshape(-1, self._network.size)
        for i, row in enumerate(rows):
            if config.preset == "tutorial":
                from seqarith.training.tutorial import tutorial_parameters

                drawn = tutorial_parameters(self._network, config.seed)
            elif self._seeds is None:
                drawn = self._drawn(config.seed, attempt * len(rows) + i)
            else:
                drawn = self._drawn(self._seeds[i], attempt)
            row[...] = drawn.flat
        for name, array in self.memory.items():
            if name != SCRATCH:
                array[...] = 0

    def _drawn(self, seed: int, number: int) -> Parameters:
        """Return the initial parameters of a seed, numbered from 0."""
        return self._network.initial(stream(seed, STREAM_INITIAL, *[number] * (number > 0)))

    def over(self, steps: int, batch: int, noisy: bool = False) -> Pass:
        """Return passes over batches of a shape; they write to the common gradient."""
        return Pass(self._config, self._parameters, self._gradients, steps, batch, noisy)

    def update(self, rate: float, step: int) -> None:
        """Update the parameters by their gradient.

        Args:
            rate: Learning rate.
            step: Number of the step since the parameters were drawn, from 1.
        """
        if self._config.clip is not None:
            clip(self.gradient, self._config.clip)
        self._config.built_optimizer.update(self.flat, self.gradient, self.memory, rate, step)

    def parameters(self, index: int) -> Parameters:
        """Return the parameters of one network, in the layout of model files."""
        copy = self._network.trainable()
        copy.flat[...] = self.flat.reshape(-1, self._network.size)[index]
        return self._network.unpack(copy, self._config.own_vectors)
