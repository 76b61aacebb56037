"""A run written down, to be taken up again where it stopped."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any, final

from seqarith import archive
from seqarith.cells.cell import Array
from seqarith.errors import CheckpointError, ModelFileError, SeqarithError
from seqarith.optimizers import SCRATCH, Memory
from seqarith.training.config import TrainingConfig

FORMAT = "seqarith-checkpoint"
VERSION = 1
PARAMETERS, CLOUDS = "parameters", "clouds"
LONGEST = 256
"""Letters of a word that a checkpoint keeps."""
EXTENDABLE = ("max_steps", "until")
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
        clouds: See `seqarith.training.clouds`; None where the network learns from words.
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
        found = archive.read(path, FORMAT, VERSION)
        try:
            config = TrainingConfig.from_description(found.header["config"])
            step = found.header["step"]
            (begun, level), lessons = found.header["hardening"], found.header["lessons"]
            best = found.header.get("best", 0)
        except SeqarithError as error:
            raise ModelFileError(f"{found.path}: {error}") from None
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ModelFileError(f"{found.path}: the header is not complete ({error})") from None
        if type(step) is not int or not 0 <= step <= config.max_steps:
            raise ModelFileError(f"{found.path}: step {step!r} of {config.max_steps}")
        sound = type(begun) is bool and type(level) is float and 0 <= level <= 1
        sound = sound and type(best) is int and 0 <= best < config.restarts
        if not sound or not _are_words(lessons, config.built_task.letters):
            raise ModelFileError(f"{found.path}: the header's notes on training are damaged")
        names = (PARAMETERS, *config.built_optimizer.slots)
        leading = (config.restarts,) if config.restarts > 1 else ()
        shapes = dict.fromkeys(names, (*leading, config.network.size))
        if config.clouds_size:
            shapes[CLOUDS] = (*leading, config.clouds_size)
        arrays = found.arrays(shapes, config.dtype)
        parameters, clouds = arrays.pop(PARAMETERS), arrays.pop(CLOUDS, None)
        return Checkpoint(config, step, parameters, arrays, (begun, level), lessons, clouds, best)

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


def _are_words(value: Any, letters: int) -> bool:
    return type(value) is list and all(
        type(word) is list
        and 0 < len(word) <= LONGEST
        and all(type(letter) is int and 0 <= letter < letters for letter in word)
        for word in value
    )
