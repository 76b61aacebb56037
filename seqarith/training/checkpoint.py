"""A run written down, to be taken up again where it stopped."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import final

from seqarith import archive
from seqarith.cells.cell import Array
from seqarith.errors import CheckpointError, ModelFileError, SeqarithError, UnknownNameError
from seqarith.formats import CHECKPOINT
from seqarith.optimizers import SCRATCH, Memory
from seqarith.training.config import TrainingConfig

FORMAT = "seqarith-checkpoint"
VERSION = 2
PARAMETERS, CLOUDS = "parameters", "clouds"
EXTENDABLE = ("max_steps", "goal")
"""Settings that may change when a run is resumed."""


@final
@dataclass(frozen=True)
class Checkpoint:
    """A run after some steps.

    Attributes:
        config: Its settings.
        step: Steps done.
        parameters: All parameters, shape (size,).
        memory: The optimizer's memory, without its scratch array.
        hardening: Whether the synchrony penalty has begun, and the level of noise, 0 to 1.
        lessons: Words on which the network was found to be wrong.
        clouds: See `seqarith.training.interval_training`; None where the network learns from words.
        best: Number of the best of the networks side by side.
    """

    config: TrainingConfig
    step: int
    parameters: Array
    memory: Memory
    hardening: tuple[bool, float] = (False, 0.0)
    lessons: list[list[int]] = field(default_factory=list)
    clouds: Array | None = None
    best: int = 0

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the checkpoint, wholly or not at all.

        Raises:
            OutputError: It cannot be written; an existing file is left as it was.
        """
        header = {
            "format": FORMAT,
            "version": VERSION,
            "config": self.config.describe(),
            "step": self.step,
            "hardening": list(self.hardening),
            "lessons": self.lessons,
            "best": self.best,
        }
        memory = {name: array for name, array in self.memory.items() if name != SCRATCH}
        clouds = {} if self.clouds is None else {CLOUDS: self.clouds}
        archive.write(path, header, {PARAMETERS: self.parameters, **memory, **clouds})

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Checkpoint:
        """Read a checkpoint.

        Raises:
            ModelFileError: It is missing, damaged, of a newer format, or no checkpoint.
        """
        found = archive.read(path, FORMAT, VERSION, CHECKPOINT)
        header = found.header
        try:
            config = TrainingConfig.from_description(header["config"])
        except UnknownNameError as error:
            raise ModelFileError(
                f"{found.path}: its settings name what is not here, so install the package that "
                f"registers it: {error}"
            ) from None
        except (SeqarithError, TypeError, ValueError) as error:
            raise ModelFileError(f"{found.path}: its settings: {error}") from None
        step, best, lessons = header["step"], header.get("best", 0), header["lessons"]
        begun, level = header["hardening"]
        if step > config.max_steps or best >= config.candidates:
            raise ModelFileError(
                f"{found.path}: step {step} of {config.max_steps}, network {best} of "
                f"{config.candidates}"
            )
        if any(letter >= config.built_task.letters for word in lessons for letter in word):
            raise ModelFileError(f"{found.path}: a word has a letter that the task has not")
        names = (PARAMETERS, *config.built_optimizer.slots)
        leading = (config.candidates,) if config.candidates > 1 else ()
        shapes = dict.fromkeys(names, (*leading, config.network.size))
        if config.interval_size:
            shapes[CLOUDS] = (*leading, config.interval_size)
        arrays = found.arrays(shapes, config.dtype)
        parameters, clouds = arrays.pop(PARAMETERS), arrays.pop(CLOUDS, None)
        hardening = begun, float(level)
        return Checkpoint(config, step, parameters, arrays, hardening, lessons, clouds, best)

    def check_same_run(self, config: TrainingConfig) -> None:
        """Refuse to go on with other settings; only those of `EXTENDABLE` may differ.

        Raises:
            CheckpointError: One differs; the message names it.
        """
        mine, theirs = self.config.describe(), config.describe()
        for key in mine:
            if key not in EXTENDABLE and mine[key] != theirs[key]:
                raise CheckpointError(
                    f"the checkpoint is of another run: it has {key} {mine[key]!r}, "
                    f"this one {theirs[key]!r}"
                )
        if config.max_steps < self.step:
            raise CheckpointError(
                f"the checkpoint is at step {self.step}, past the {config.max_steps} asked for"
            )
