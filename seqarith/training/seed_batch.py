"""Networks with many seeds in a checkpoint: which are in training, and which have ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from seqarith.cells.cell import Array
from seqarith.network import Network
from seqarith.training.config import TrainingConfig
from seqarith.training.result import Run

TABLE, ENDED = "seeds", "ended"
"""Names of arrays."""


@final
@dataclass(frozen=True, eq=False)
class SeedBatch:
    """Networks with many seeds: which are in training, and which have ended.

    Attributes:
        together: Networks trained side by side, a group; see `seqarith.train_many`.
        table: For every network its seed, its row in the arrays of the checkpoint or -1, the steps
            after which it ended or 0, and whether it has reached the goal; shape (N, 4).
        parameters: Of the E networks that have ended, as in a model file, shape (E, size).
    """

    together: int
    table: NDArray[np.int64]
    parameters: Array

    @staticmethod
    def of(
        seeds: Sequence[int],
        together: int,
        rows: Sequence[int],
        results: Mapping[int, Run],
        network: Network,
    ) -> SeedBatch:
        """Return the state of a batch, given the results so far by seed."""
        found = [results.get(seed) for seed in seeds]
        ended = [each.model.parameters.flat for each in found if each is not None]
        table = [
            (seed, rows.index(seed) if seed in rows else -1, *_ending(each))
            for seed, each in zip(seeds, found, strict=True)
        ]
        return SeedBatch(
            together,
            np.array(table, np.int64),
            np.array(ended, network.dtype).reshape(-1, network.parameters().flat.size),
        )

    @staticmethod
    def shapes(header: Mapping[str, int], network: Network) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the arrays that belong to a header."""
        size = network.parameters().flat.size
        return {TABLE: (header["seeds"], 4), ENDED: (header["ended"], size)}

    def header(self) -> dict[str, int]:
        """Return its sizes, ready for JSON."""
        ended = len(self.parameters)
        return {"together": self.together, "seeds": len(self.table), "ended": ended}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return its arrays in a checkpoint file."""
        return {TABLE: self.table, ENDED: self.parameters}

    @property
    def seeds(self) -> list[int]:
        """The seeds of all networks."""
        return list(self.table[:, 0].tolist())

    @property
    def rows(self) -> list[int]:
        """The seeds of the networks in the arrays of the checkpoint; some may have ended."""
        among = self.table[self.table[:, 1] >= 0]
        return list(among[among[:, 1].argsort(), 0].tolist())

    @property
    def start(self) -> int:
        """Index of the first seed of the group in training."""
        place = int((self.table[:, 1] >= 0).argmax())
        return place - place % self.together

    def group_of(self, seed: int) -> list[int]:
        """Return the seeds in the group of a network."""
        place = self.seeds.index(seed)
        return self.seeds[place - place % self.together :][: self.together]

    def ended(self) -> Iterator[tuple[int, int, bool, Array]]:
        """Yield seed, steps, whether the goal was reached, and parameters of ended networks."""
        among = self.table[self.table[:, 2] > 0].tolist()
        for (seed, _, steps, reached), flat in zip(among, self.parameters, strict=True):
            yield seed, steps, bool(reached), flat

    def is_sound(self, config: TrainingConfig) -> bool:
        """Return whether a state is possible: groups before have ended, groups after have not."""
        seeds, row, steps, reached = self.table.T
        group = np.arange(len(seeds)) // self.together - self.start // self.together
        ended, among = steps > 0, row >= 0
        return bool(
            len(set(self.seeds)) == len(seeds)
            and seeds[self.start] == config.seed
            and sorted(row[among].tolist()) == list(range(config.candidates))
            and ended.sum() == len(self.parameters)
            and (steps <= config.max_steps).all()
            and np.where(group == 0, ended | among, ended == (group < 0)).all()
            and (among & ~ended).any()
            and not (among & (group != 0)).any()
            and not (reached & ~ended).any()
        )


def _ending(result: Run | None) -> tuple[int, int]:
    return (0, 0) if result is None else (result.steps, int(result.reached))
