"""Train one network, the best of several candidates, or one network per seed."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import TYPE_CHECKING, Any, final

from seqarith.errors import InvalidValueError
from seqarith.formats import MAX_SEED
from seqarith.tasks.task import Task
from seqarith.training.config import TrainingConfig
from seqarith.training.engine import Engine
from seqarith.training.progress import Hooks
from seqarith.training.progress_bar import progress_bar
from seqarith.training.result import Run

if TYPE_CHECKING:
    from seqarith.training.checkpoint import Checkpoint

TOGETHER = 16
"""Networks trained side by side: with more, the arrays exceed the cache."""


@final
class Trainer:
    """A training run, from settings or from a checkpoint.

    Args:
        config: The settings.
        checkpoint: The checkpoint to resume from.

    Raises:
        CheckpointError: The checkpoint belongs to another run.

    Example:
        >>> result = Trainer(TrainingConfig(task="add", bits=4, seed=1)).run()
        >>> result.reached, result.proved, result.evaluation.checked
        (True, True, 256)
    """

    def __init__(self, config: TrainingConfig, checkpoint: Checkpoint | None = None) -> None:
        self.config, self._engine = config, Engine(config)
        if checkpoint is not None:
            self._engine.restore(checkpoint)

    @property
    def step(self) -> int:
        """Steps done."""
        return self._engine.step

    def run(self, hooks: Hooks | None = None) -> Run:
        """Train until the goal or the last step is reached.

        Raises:
            DivergedError: A parameter is no longer finite.
            KeyboardInterrupt: ``hooks.stop`` returned true; a checkpoint was written before.
        """
        self._engine.run(hooks or Hooks())
        (result,) = self._engine.results.values()
        return result

    def checkpoint(self) -> Checkpoint:
        """Return the state of the run."""
        return self._engine.checkpoint()


def train(task: str | Task = "add", *, progress: bool = False, **settings: Any) -> Run:
    """Train a network.

    Args:
        task: Name of a task, or a task, for instance of `Task.from_function`.
        progress: Show progress: a bar in a notebook, a line on stderr elsewhere.
        settings: Any setting of `TrainingConfig`, option of the cell or parameter of the task.

    Raises:
        UnknownNameError: A name is in no registry.
        InvalidValueError: A value is out of range.
        TaskError: The task cannot be built with these settings.
        TypeError: There is no such setting; the message names the nearest one.
        DivergedError: A parameter is no longer finite.

    Example:
        >>> run = train("sub", bits=4, activation="sigmoid")
        >>> run.model(3, 5)
        -2
    """
    config = TrainingConfig.from_keywords(task, **settings)
    with progress_bar(progress, config.task, config.max_steps) as report:
        return Trainer(config).run(Hooks(report=report))


def train_many(
    task: str | Task = "add",
    seeds: Sequence[int] = range(TOGETHER),
    *,
    together: int = TOGETHER,
    hooks: Hooks | None = None,
    checkpoint: Checkpoint | None = None,
    **settings: Any,
) -> list[Run]:
    """Train one network per seed, several side by side.

    Networks side by side share the fixed cost of array operations, and the words, which follow from
    their first seed. The initial weights are the same as in a run with the seed alone. So the
    networks differ in their initial weights, but are not as independent as separate runs; each
    model names the seeds trained beside it.

    Args:
        task: Name of a task, or a task.
        seeds: All different.
        together: Networks that are trained side by side, at least 1.
        hooks: Functions that are called during the run, for instance with checkpoints.
        checkpoint: The checkpoint to resume from, of the same task, seeds and settings.
        settings: Any setting of `TrainingConfig` but ``seed`` and ``candidates``.

    Returns:
        The results, in the order of the seeds.

    Raises:
        InvalidValueError: A value is out of range, or a seed occurs twice.
        UnknownNameError: A name is in no registry.
        TaskError: The task cannot be built with these settings.
        CheckpointError: The checkpoint belongs to another run.
        DivergedError: A parameter is no longer finite.
        KeyboardInterrupt: ``hooks.stop`` returned true; a checkpoint was written before.

    Example:
        >>> results = train_many("add", seeds=range(8), bits=4)
        >>> [result.proved for result in results].count(True)
        8
    """
    numbers = _numbers(seeds)
    _check(numbers, together, settings)
    if not numbers:
        return []
    engine = Engine(TrainingConfig.from_keywords(task, **settings), numbers, together)
    if checkpoint is not None:
        engine.restore(checkpoint)
    engine.run(hooks or Hooks())
    return [engine.results[seed] for seed in numbers]


def _numbers(seeds: Sequence[int]) -> list[int]:
    try:
        return [index(seed) for seed in seeds]
    except TypeError as error:
        raise InvalidValueError(f"seeds: expected integers, {error}") from None


def _check(seeds: Sequence[int], together: int, settings: dict[str, Any]) -> None:
    if together < 1:
        raise InvalidValueError(f"{together} networks together: expected 1 or more")
    if len(set(seeds)) < len(seeds):
        raise InvalidValueError("a seed occurs twice: both networks would be the same")
    for seed in seeds:
        if not 0 <= seed <= MAX_SEED:
            raise InvalidValueError(f"seed {seed}: expected 0 to {MAX_SEED}")
    for name in ("seed", "candidates", "preset"):
        if name in settings:
            raise InvalidValueError(
                f"{name} {settings[name]!r}: not a setting of train_many; leave it out"
            )
