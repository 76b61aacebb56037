"""A checkpoint: the state of a run, from which it can resume."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from seqarith import archive
from seqarith.cells.cell import Array
from seqarith.errors import CheckpointError, ModelFileError, SeqarithError, UnknownNameError
from seqarith.formats import CHECKPOINT
from seqarith.optimizers import SCRATCH, Memory
from seqarith.training.config import TrainingConfig
from seqarith.training.seed_batch import ENDED, TABLE, SeedBatch

FORMAT = "seqarith-checkpoint"
VERSION = 2
PARAMETERS, INTERVALS = "parameters", "clouds"
"""Names of arrays."""

EXTENDABLE = ("max_steps", "goal")
"""Settings that may change when a run resumes."""


@final
@dataclass(frozen=True)
class Checkpoint:
    """A run after some steps.

    Attributes:
        config: Its settings.
        step: Steps done.
        parameters: All parameters, shape (size,), or (S, size).
        memory: The optimizer's memory, without its scratch array.
        regularizers: Whether the synchrony penalty has begun, and the level of noise, 0 to 1;
            shape (2,), or, for many seeds, (S, 2).
        words: Counterexamples, on which a network was wrong.
        intervals: See `seqarith.training.interval_training`; None if networks learn from words.
        best: Index of the best of the networks side by side.
        batch: The seeds of the networks; None for a run with one seed.
    """

    config: TrainingConfig
    step: int
    parameters: Array
    memory: Memory
    regularizers: Array
    words: list[list[int]]
    intervals: Array | None = None
    best: int = 0
    batch: SeedBatch | None = None

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the checkpoint, completely or not at all.

        Raises:
            OutputError: It cannot be written; an existing file is unchanged.
        """
        header = {
            "format": FORMAT,
            "version": VERSION,
            "config": self.config.describe(),
            "step": self.step,
            # Files keep the keys of version 0.5, so that each can read the other's.
            "hardening": _listed(self.regularizers),
            "lessons": self.words,
            "best": self.best,
        }
        memory = {name: array for name, array in self.memory.items() if name != SCRATCH}
        arrays: dict[str, NDArray[Any]] = {PARAMETERS: self.parameters, **memory}
        if self.intervals is not None:
            arrays[INTERVALS] = self.intervals
        if self.batch is not None:
            header["batch"] = self.batch.header()
            arrays |= self.batch.arrays()
        archive.write(path, header, arrays)

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Checkpoint:
        """Read a checkpoint.

        Raises:
            ModelFileError: It is missing, damaged, of a newer format, or not a checkpoint.
        """
        found = archive.read(path, FORMAT, VERSION, CHECKPOINT)
        header = found.header
        try:
            config = TrainingConfig.from_description(header["config"])
        except UnknownNameError as error:
            raise ModelFileError(
                f"{found.path}: its settings use a name that is not registered; install the "
                f"package that registers it: {error}"
            ) from None
        except (SeqarithError, TypeError, ValueError) as error:
            raise ModelFileError(f"{found.path}: its settings: {error}") from None
        step, best, words = header["step"], header.get("best", 0), header["lessons"]
        if step > config.max_steps or best >= config.candidates:
            raise ModelFileError(
                f"{found.path}: step {step} of {config.max_steps}, network {best} of "
                f"{config.candidates}"
            )
        if any(letter >= config.built_task.letters for word in words for letter in word):
            raise ModelFileError(f"{found.path}: a word has a letter that the task does not have")
        names = (PARAMETERS, *config.built_optimizer.slots)
        leading = (config.candidates,) if config.candidates > 1 else ()
        shapes = dict.fromkeys(names, (*leading, config.network.size))
        if config.interval_size:
            shapes[INTERVALS] = (*leading, config.interval_size)
        described = header.get("batch")
        if described is not None:
            shapes |= SeedBatch.shapes(described, config.network)
        arrays = found.arrays(shapes, dict.fromkeys(shapes, config.dtype) | {TABLE: "int64"})
        batch = None
        if described is not None:
            batch = SeedBatch(described["together"], arrays.pop(TABLE), arrays.pop(ENDED))
        regularizers = np.array(header["hardening"], np.float64)
        shape = (2,) if batch is None else (config.candidates, 2)
        if regularizers.shape != shape or not (batch is None or batch.is_sound(config)):
            raise ModelFileError(f"{found.path}: its networks do not match its seeds")
        parameters, intervals = arrays.pop(PARAMETERS), arrays.pop(INTERVALS, None)
        return Checkpoint(
            config, step, parameters, arrays, regularizers, words, intervals, best, batch
        )

    def check_same_seeds(self, seeds: Sequence[int] | None, together: int) -> None:
        """Check that a run to resume has the same seeds; None: it has one seed.

        Raises:
            CheckpointError: They differ.
        """
        mine = None if self.batch is None else self.batch.seeds
        if (mine is None) != (seeds is None):
            how = "one run: pass it to Trainer" if mine is None else "many seeds: use train_many"
            raise CheckpointError(f"the checkpoint is of {how}")
        if self.batch is not None and (mine, self.batch.together) != (seeds, together):
            raise CheckpointError(
                f"the checkpoint is of another run: it has {len(self.batch.seeds)} seeds, "
                f"{self.batch.together} together; give the same ones in the same order"
            )

    def check_same_run(self, config: TrainingConfig) -> None:
        """Check that a run to resume has the same settings, except those of `EXTENDABLE`.

        With many seeds these must be the same too, since some networks have ended by them.

        Raises:
            CheckpointError: One differs; the message names it.
        """
        mine, theirs = self.config.describe(), config.describe()
        free = EXTENDABLE if self.batch is None else ()
        for key in mine:
            if key not in free and mine[key] != theirs[key]:
                raise CheckpointError(
                    f"the checkpoint is of another run: it has {key} {mine[key]!r}, "
                    f"this one {theirs[key]!r}"
                )
        if config.max_steps < self.step:
            raise CheckpointError(
                f"the checkpoint is at step {self.step}, past the {config.max_steps} asked for"
            )


def _listed(regularizers: Array) -> list[Any]:
    """Return begun and level, of each network or of all, ready for JSON."""
    if regularizers.ndim > 1:
        return [_listed(row) for row in regularizers]
    begun, level = regularizers.tolist()
    return [bool(begun), level]
