"""The training loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from seqarith.certification.kernel.certificate import Certificate
from seqarith.optimizers import SCRATCH
from seqarith.tasks.task import Task
from seqarith.training.config import TrainingConfig
from seqarith.training.engine import CHECK_EVERY, Engine
from seqarith.training.progress import Progress, Report
from seqarith.training.result import TrainingResult

if TYPE_CHECKING:
    from seqarith.training.checkpoint import Checkpoint

PROGRESS_EVERY = 50
EARLY, EARLY_EVERY = 200, 10
"""Runs often end within 200 steps; ten reports or more make a curve of them."""


@dataclass
class Hooks:
    """What a caller may watch and decide.

    Attributes:
        report: Called with every report.
        checkpoint: Called with a checkpoint every ``checkpoint_every`` steps, and when stopped.
        checkpoint_every: Steps between checkpoints.
        stop: Asked after every step whether to stop; then `KeyboardInterrupt` is raised.
    """

    report: Callable[[Report], None] | None = None
    checkpoint: Callable[[Checkpoint], None] | None = None
    checkpoint_every: int = 100
    stop: Callable[[], bool] | None = None


@final
class Trainer:
    """A run: made from settings, or from a checkpoint of an earlier part of it.

    Args:
        config: The settings.
        checkpoint: Where to go on from.

    Raises:
        CheckpointError: The checkpoint is of another run.

    Example:
        >>> result = Trainer(TrainingConfig(task="add", bits=4, seed=1)).run()
        >>> result.reached, result.proved, result.evaluation.checked
        (True, True, 256)
    """

    def __init__(self, config: TrainingConfig, checkpoint: Checkpoint | None = None) -> None:
        self.config = config
        self._course = Engine(config)
        self._best = 0
        if checkpoint is not None:
            self._take_up(checkpoint)

    @property
    def step(self) -> int:
        """Steps done."""
        return self._course.step

    def _take_up(self, checkpoint: Checkpoint) -> None:
        checkpoint.check_same_run(self.config)
        course = self._course
        course.step, course.lessons.words = checkpoint.step, checkpoint.lessons
        self._best = checkpoint.best
        course.hardening.begun[...], course.hardening.level[...] = checkpoint.hardening
        course.stack.flat[...] = checkpoint.parameters
        if course.clouds is not None:
            course.clouds.state[...] = checkpoint.clouds
        for name, array in checkpoint.memory.items():
            course.stack.memory[name][...] = array

    def run(self, hooks: Hooks | None = None) -> TrainingResult:
        """Train until the goal is reached or the steps are spent.

        Raises:
            DivergedError: A parameter is not finite any more.
            KeyboardInterrupt: ``hooks.stop`` said so; a checkpoint was written before.
        """
        hooks = hooks or Hooks()
        proof: Certificate | None = None
        reached = False
        with np.errstate(over="ignore", invalid="ignore"):
            while self.step < self.config.max_steps and not reached:
                self._course.advance()
                if hooks.report:
                    self._report(hooks.report)
                if self.step % CHECK_EVERY == 0:
                    reached, proof = self._look()
                if not reached:
                    self._keep(hooks)
        self._course.check_finite()
        reached = reached or self.config.goal == "steps"
        return TrainingResult.of(self._course, self._best, reached, proof)

    def checkpoint(self) -> Checkpoint:
        """Return where the run stands."""
        from seqarith.training.checkpoint import Checkpoint

        stack, hardening = self._course.stack, self._course.hardening
        clouds = self._course.clouds
        return Checkpoint(
            self.config,
            self.step,
            stack.flat.copy(),
            {k: v.copy() for k, v in stack.memory.items() if k != SCRATCH},
            (bool(hardening.begun), float(hardening.level)),
            self._course.lessons.words,
            None if clouds is None else clouds.state.copy(),
            self._best,
        )

    def _keep(self, hooks: Hooks) -> None:
        """Write a checkpoint where one is due, after the look of its step, which changes a run."""
        stop = hooks.stop is not None and hooks.stop()
        if hooks.checkpoint and (stop or self.step % hooks.checkpoint_every == 0):
            self._course.check_finite()
            hooks.checkpoint(self.checkpoint())
        if stop:
            raise KeyboardInterrupt

    def _report(self, report: Callable[[Report], None]) -> None:
        """Report on the words of the step that was just made, as the network saw them before it."""
        iteration, batches = self.step - 1, self._course.batches
        if self.config.preset == "tutorial":
            from seqarith.training.tutorial import REPORT_EVERY, TutorialReport

            if iteration % REPORT_EVERY == 0:
                logits = self._course.logits(self._best)
                letters = batches.letters(iteration)
                pair = self.config.built_task.operands_of(letters)
                report(TutorialReport.of(iteration, (pair[0][0], pair[1][0]), logits))
        elif self.step % (EARLY_EVERY if self.step <= EARLY else PROGRESS_EVERY) == 0:
            self._course.check_finite()
            logits = self._course.logits(self._best)
            loss = self.config.built_loss.value(logits, batches(iteration)[1], batches.steps)
            margins = self._course.examiner.margins(logits, batches.letters(iteration))
            words, digits = (margins > 0).all(axis=0).mean(), (margins > 0).mean()
            shares = float(words), float(digits)
            noisy = self.config.hidden_noise > 0
            report(Progress(self.step, float(loss), *shares, float(margins.min()), noisy))

    def _look(self) -> tuple[bool, Certificate | None]:
        """Return whether a network has reached the goal, and its proof; that one is the best."""
        course, examiner = self._course, self._course.examiner
        course.check_finite()
        if self.config.goal == "steps" and not course.hardening.used and self.config.restarts == 1:
            return False, None
        shares = course.shares()
        self._best = int(np.argmax(shares))
        course.hardening.look(shares[self._best])
        if not course.promising():
            return False, None
        for i in np.argsort(shares, kind="stable")[::-1]:
            if shares[i] < examiner.needed:
                break
            reached, proof = examiner.judge(course.model(int(i)))
            if reached:
                self._best = int(i)
                return True, proof
        course.seek(self._best, shares[self._best])
        return False, None


def train(task: str | Task = "add", **settings: Any) -> TrainingResult:
    """Train a network.

    Args:
        task: Name of a task, or a task, for instance of `task_from_function`.
        settings: Any setting of `TrainingConfig`.

    Raises:
        UnknownNameError: A name is in no registry.
        InvalidValueError: A value is out of range.
        TaskError: The task cannot be built so.
        DivergedError: A parameter is not finite any more.

    Example:
        >>> result = train("sub", bits=4, cell_options={"activation": "sigmoid"})
        >>> str(result.model.predict(3, 5))
        '3 - 5 = -2'
    """
    if isinstance(task, Task):
        return Trainer(TrainingConfig.for_task(task, **settings)).run()
    return Trainer(TrainingConfig(task=task, **settings)).run()
