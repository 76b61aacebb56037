"""What every contender of a training step is given: shapes, initial weights, batches."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

import seqarith as sa
from seqarith.network import Network, Parameters
from seqarith.training.batches import SampledBatches

Weights = dict[str, NDArray[np.floating[Any]]]
"""Arrays under PyTorch's names and in its shapes."""

Batch = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Input vectors (T, B, 2) and targets (T * B, 1)."""

RATE, CLIP = 1e-3, 1.0


@dataclass(frozen=True)
class Case:
    """A cell and a shape of batches: words B, steps T, hidden units H."""

    cell: str
    batch: int
    steps: int
    hidden: int

    def __str__(self) -> str:
        return f"{self.cell}, B {self.batch}, T {self.steps}, H {self.hidden}"

    @cached_property
    def config(self) -> sa.TrainingConfig:
        """Settings of a run of this shape, without noise and without penalties."""
        return sa.TrainingConfig(
            cell=self.cell,
            bits=self.steps - 1,
            batch_size=self.batch,
            hidden=self.hidden,
            learning_rate=RATE,
            clip=CLIP,
            goal="steps",
        )

    @property
    def network(self) -> Network:
        return self.config.network

    def initial(self) -> Parameters:
        return self.network.initial(np.random.default_rng(1))

    def weights(self) -> Weights:
        """Return the initial weights."""
        return self.network.export(self.network.unpack(self.initial()))

    def batches(self, count: int) -> list[Batch]:
        """Return batches of sums, as training draws them."""
        draw = SampledBatches(self.config)
        return [tuple(a.copy() for a in draw(step)) for step in range(count)]  # type: ignore[misc]


class Peer(Protocol):
    """A contender. Batches come as what `prepare` made of them, so that copying is not timed."""

    def prepare(self, batch: Batch) -> Any: ...

    def run(self, batches: list[Any], steps: int) -> None:
        """Make training steps, going round the batches, and wait until all is done."""

    def weights(self) -> Weights:
        """Return the weights as they are now."""
