"""The training loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, final

import numpy as np

from seqarith.cells.cell import Array
from seqarith.certification.certificate import Certificate
from seqarith.errors import DivergedError
from seqarith.evaluation.result import Evaluation
from seqarith.model import Model
from seqarith.optimizers import SCRATCH
from seqarith.tasks.task import Task
from seqarith.training.batches import Batches, SampledBatches
from seqarith.training.config import TrainingConfig
from seqarith.training.goal import Examiner
from seqarith.training.hardening import Hardening
from seqarith.training.lessons import SEEK_EVERY, Lessons
from seqarith.training.report import Progress, Report
from seqarith.training.stack import Stack

if TYPE_CHECKING:
    from seqarith.training.checkpoint import Checkpoint
    from seqarith.training.clouds import Clouds

CHECK_EVERY = 10
"""Steps between two looks at whether the goal may be reached."""

PROGRESS_EVERY = 50


@final
@dataclass(frozen=True)
class TrainingResult:
    """What a run ended with.

    Attributes:
        model: The trained model; it carries its evaluation.
        steps: Updates that were made.
        examples: Words that were seen.
        evaluation: The model on operands of the training width.
        reached: Whether the goal was reached.
    """

    model: Model
    steps: int
    examples: int
    evaluation: Evaluation
    reached: bool

    @property
    def proved(self) -> bool:
        """Whether the model carries a proof that it is right at every width."""
        return self.model.certificate is not None


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
        self.step = 0
        self._batches = _batches(config)
        self._stack = Stack(config)
        noisy = config.hidden_noise > 0
        self._pass = self._stack.over(self._batches.steps, config.batch, noisy)
        self._examiner = Examiner(config, self._batches.steps)
        self._hardening = Hardening(config, self._pass.unroll)
        self._lessons = Lessons(
            config, self._stack, [] if checkpoint is None else checkpoint.lessons
        )
        self._clouds = _clouds(config, self._stack)
        self._best = 0
        if checkpoint is None:
            self._stack.begin(0)
        else:
            self._take_up(checkpoint)

    def _take_up(self, checkpoint: Checkpoint) -> None:
        checkpoint.check_same_run(self.config)
        self.step = checkpoint.step
        self._hardening.begun, self._hardening.level = checkpoint.hardening
        self._stack.flat[...] = checkpoint.parameters
        if self._clouds is not None:
            self._clouds.state[...] = checkpoint.clouds
        for name, array in checkpoint.memory.items():
            self._stack.memory[name][...] = array

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
                self._advance(hooks)
                if self.step % CHECK_EVERY == 0:
                    reached, proof = self._look()
        self._check_finite()
        return self._result(reached or self.config.goal == "steps", proof)

    def checkpoint(self) -> Checkpoint:
        """Return where the run stands."""
        from seqarith.training.checkpoint import Checkpoint

        return Checkpoint(
            self.config,
            self.step,
            self._stack.flat.copy(),
            {k: v.copy() for k, v in self._stack.memory.items() if k != SCRATCH},
            (self._hardening.begun, self._hardening.level),
            self._lessons.words,
            None if self._clouds is None else self._clouds.state.copy(),
        )

    def _advance(self, hooks: Hooks) -> None:
        """Make one step, and tell the hooks."""
        patience = self.config.patience
        attempt, before = divmod(self.step, patience) if patience else (0, self.step)
        if before == 0 and attempt > 0:
            self._stack.begin(attempt)
            self._hardening.begin()
            if self._clouds is not None:
                self._clouds.begin()
        if self._clouds is not None:
            targets = self._learn_from(self._clouds, before)
        else:
            targets = self._learn_from_words(before)
        self._tell(hooks, targets)

    def _learn_from(self, clouds: Clouds, before: int) -> Array:
        """Make a step on the machine itself; words only tell how far the network is."""
        inputs, targets = self._batches(self.step)
        if (self.step + 1) % CHECK_EVERY == 0:
            self._pass.run(inputs, targets)
        clouds.learn()
        self.step += 1
        rate = self.config.rate_at(self.step) * clouds.pace.fading(before, self.config.patience)
        clouds.update(rate, before + 1)
        return targets

    def _learn_from_words(self, before: int) -> Array:
        self._hardening.disturb(self.step)
        inputs, targets = self._batches(self.step)
        self._pass.run(inputs, targets, self._pull if self._hardening.active else None)
        self._lessons.teach(self.step)
        self.step += 1
        self._stack.update(self.config.rate_at(self.step), before + 1)
        return targets

    def _pull(self) -> None:
        self._hardening.pull(self._batches.moves(self.step))

    def _tell(self, hooks: Hooks, targets: Array) -> None:
        if hooks.report:
            self._report(hooks.report, targets)
        stop = hooks.stop is not None and hooks.stop()
        if hooks.checkpoint and (stop or self.step % hooks.checkpoint_every == 0):
            self._check_finite()
            hooks.checkpoint(self.checkpoint())
        if stop:
            raise KeyboardInterrupt

    def _logits(self, index: int) -> Array:
        """Return the logits of one network on the last batch, shape (T * B, K)."""
        logits = self._pass.unroll.logits
        one: Array = logits.reshape(-1, *logits.shape[-2:])[index]
        return one

    def _report(self, report: Callable[[Report], None], targets: Array) -> None:
        """Report on the words of the step that was just made, as the network saw them before it."""
        iteration = self.step - 1
        if self.config.preset == "tutorial":
            from seqarith.training.tutorial import REPORT_EVERY, TutorialReport

            if iteration % REPORT_EVERY == 0:
                logits = self._logits(self._best)
                letters = self._batches.letters(iteration)
                pair = self.config.built_task.operands_of(letters)
                report(TutorialReport.of(iteration, (pair[0][0], pair[1][0]), logits))
        elif self.step % PROGRESS_EVERY == 0:
            self._check_finite()
            logits = self._logits(self._best)
            loss = self.config.built_loss.value(logits, targets, self._batches.steps)
            right = self._examiner.right(logits, self._batches.letters(iteration))
            words = float(right.all(axis=0).mean())
            report(Progress(self.step, float(loss), words, float(right.mean())))

    def _look(self) -> tuple[bool, Certificate | None]:
        """Return whether a network has reached the goal, and its proof; that one is the best."""
        self._check_finite()
        stays = self.config.goal == "steps"
        if stays and not self._hardening.used and self.config.restarts == 1:
            return False, None
        letters = self._batches.letters(self.step - 1)
        shares = [
            float(self._examiner.right(self._logits(i), letters).mean())
            for i in range(self.config.restarts)
        ]
        self._best = int(np.argmax(shares))
        self._hardening.look(shares[self._best])
        if stays or (self._clouds is not None and not self._clouds.promising()):
            return False, None
        for i in np.argsort(shares, kind="stable")[::-1]:
            if shares[i] < self._examiner.needed:
                break
            reached, proof = self._examiner.judge(self._model(int(i)))
            if reached:
                self._best = int(i)
                return True, proof
        if self._seeks(shares[self._best]):
            self._lessons.seek(self._model(self._best))
        return False, None

    def _seeks(self, share: float) -> bool:
        due = self.config.goal == "proved" and self.step % SEEK_EVERY == 0
        return due and share >= self._examiner.needed

    def _model(self, index: int) -> Model:
        training = {**self.config.describe(), "steps": self.step}
        training.pop("own", None)  # the model's own task says it
        parameters = self._stack.parameters(index)
        return Model(self.config.built_task, self.config.network, parameters, training)

    def _result(self, reached: bool, proof: Certificate | None) -> TrainingResult:
        model = self._model(self._best)
        model = replace(model, certificate=None if proof is None else proof.stored())
        known = self._examiner.evaluate(model)
        model = replace(model, evaluation=known.summary())
        examples = self.step * self.config.batch
        return TrainingResult(model, self.step, examples, known, reached)

    def _check_finite(self) -> None:
        if not np.isfinite(self._stack.flat).all():
            raise DivergedError(
                f"training diverged before step {self.step}: parameters are not finite; lower the "
                f"learning rate (now {self.config.learning_rate:g}) or clip the gradient (--clip 1)"
            )


def _batches(config: TrainingConfig) -> Batches:
    if config.preset == "tutorial":
        from seqarith.training.tutorial import TutorialBatches

        return TutorialBatches(config)
    return SampledBatches(config)


def _clouds(config: TrainingConfig, stack: Stack) -> Clouds | None:
    if not config.clouds_size:
        return None
    from seqarith.training.clouds import Clouds

    return Clouds(config, stack)


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
