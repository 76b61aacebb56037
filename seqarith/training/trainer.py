"""The training loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from seqarith.cells.activations import run
from seqarith.cells.cell import Array
from seqarith.errors import DivergedError
from seqarith.evaluation import SAMPLES, Evaluation, evaluate, is_exact, widest_exhaustive
from seqarith.model import Model
from seqarith.network import Parameters, Program, Unroll, margins
from seqarith.optimizers import SCRATCH, Memory, clip
from seqarith.training.batches import STREAM_INITIAL, Batches, SampledBatches, stream
from seqarith.training.checkpoint import Checkpoint
from seqarith.training.config import TrainingConfig
from seqarith.training.report import Progress, Report
from seqarith.training.tutorial import (
    REPORT_EVERY,
    TutorialBatches,
    TutorialReport,
    tutorial_parameters,
)

CHECK_EVERY = 10
"""Steps between two looks at whether the goal may be reached."""

PROGRESS_EVERY = 50
QUICK_LIMIT = 2**16
"""Most operand tuples that are run, at a smaller width, before all of them are."""

EXACT_LIMIT = 2**24
"""Most operand tuples that are all run, to decide whether training is done; beyond, a sample."""


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
        >>> result.reached, result.evaluation.checked
        (True, 256)
    """

    def __init__(self, config: TrainingConfig, checkpoint: Checkpoint | None = None) -> None:
        self.config = config
        self.step = 0
        self._task, self._network = config.built_task, config.network
        self._parameters = self._initial()
        self._optimizer = config.built_optimizer
        self._memory: Memory = self._optimizer.start(self._parameters.flat)
        if checkpoint is not None:
            checkpoint.check_same_run(config)
            self.step = checkpoint.step
            self._parameters.flat[...] = checkpoint.parameters
            for name, array in checkpoint.memory.items():
                self._memory[name][...] = array
        tutorial = config.preset == "tutorial"
        self._batches: Batches = (TutorialBatches if tutorial else SampledBatches)(config)
        self._gradients = self._network.parameters()
        self._unroll = Unroll(
            self._network, self._parameters, self._gradients, self._batches.steps, config.batch_size
        )
        self._targets = np.empty_like(self._unroll.logits)
        self._loss = config.built_loss.operations(
            self._unroll.logits, self._targets, self._batches.steps, self._unroll.logit_gradient
        )

    def run(self, hooks: Hooks | None = None) -> TrainingResult:
        """Train until the goal is reached or the steps are spent.

        Raises:
            DivergedError: A parameter is not finite any more.
            KeyboardInterrupt: ``hooks.stop`` said so; a checkpoint was written before.
        """
        hooks = hooks or Hooks()
        reached = False
        with np.errstate(over="ignore", invalid="ignore"):
            while self.step < self.config.max_steps and not reached:
                self._advance(hooks)
                reached = self.step % CHECK_EVERY == 0 and self._reached()
        if self.config.until == "steps":
            reached = True
        self._check_finite()
        return self._result(reached)

    def checkpoint(self) -> Checkpoint:
        """Return where the run stands."""
        memory = {k: v.copy() for k, v in self._memory.items() if k != SCRATCH}
        return Checkpoint(self.config, self.step, self._parameters.flat.copy(), memory)

    def _initial(self) -> Parameters:
        if self.config.preset == "tutorial":
            return tutorial_parameters(self._network, self.config.seed)
        return self._network.initial(stream(self.config.seed, STREAM_INITIAL))

    def _advance(self, hooks: Hooks) -> None:
        """Make one step, and tell the hooks."""
        config, unroll = self.config, self._unroll
        inputs, targets = self._batches(self.step)
        unroll.inputs[...] = inputs
        logits, backward = unroll.forward()
        self._targets[...] = targets
        run(self._loss)
        backward()
        if config.clip is not None:
            clip(self._gradients.flat, config.clip)
        self.step += 1
        self._optimizer.update(
            self._parameters.flat,
            self._gradients.flat,
            self._memory,
            config.rate_at(self.step),
            self.step,
        )
        if hooks.report:
            self._report(hooks.report, logits, targets)
        if hooks.checkpoint and self.step % hooks.checkpoint_every == 0:
            self._check_finite()
            hooks.checkpoint(self.checkpoint())
        if hooks.stop and hooks.stop():
            if hooks.checkpoint:
                self._check_finite()
                hooks.checkpoint(self.checkpoint())
            raise KeyboardInterrupt

    def _report(self, report: Callable[[Report], None], logits: Array, targets: Array) -> None:
        """Report on the words of the step that was just made, as the network saw them before it."""
        if self.config.preset == "tutorial":
            iteration = self.step - 1
            if iteration % REPORT_EVERY == 0:
                pair = self._task.operands_of(self._batches.letters(iteration))
                report(TutorialReport.of(iteration, (pair[0][0], pair[1][0]), logits))
        elif self.step % PROGRESS_EVERY == 0:
            self._check_finite()
            loss = self.config.built_loss.value(logits, targets, self._batches.steps)
            right = self._right(logits, self.step - 1)
            words = float(right.all(axis=0).mean())
            report(Progress(self.step, float(loss), words, float(right.mean())))

    def _right(self, logits: Array, step: int) -> NDArray[np.bool]:
        """Return which digits of the results of a step's words are right, shape (T - delay, B)."""
        letters = self._batches.letters(step)
        expected = self._task.expected(letters)
        right: NDArray[np.bool] = margins(logits.reshape(*letters.shape, -1), expected) > 0
        return right[self._task.first_result_step(len(letters)) :]

    def _reached(self) -> bool:
        """Return whether the goal is reached: first on the batch at hand, then on everything."""
        self._check_finite()
        if self.config.until != "exact":
            return False
        if not self._right(self._unroll.logits, self.step - 1).all():
            return False
        task, bits = self._task, self.config.bits
        if task.machine is not None:
            program = Program(self._network, self._parameters, task.vectors)
            for limit in (QUICK_LIMIT, EXACT_LIMIT):
                widest = min(bits, widest_exhaustive(task, limit))
                if not is_exact(task, program, widest):
                    return False
                if widest == bits:
                    return True
        return self._evaluate(self._model()).exact

    def _evaluate(self, model: Model) -> Evaluation:
        """Count on every operand tuple of the training width, or on a sample that takes as long."""
        bits = self.config.bits
        if bits <= widest_exhaustive(self._task, EXACT_LIMIT):
            return evaluate(model, bits)
        samples = max(1, min(SAMPLES, EXACT_LIMIT // self._batches.steps))
        return evaluate(model, bits, samples=samples)

    def _model(self) -> Model:
        parameters = self._network.parameters()
        parameters.flat[...] = self._parameters.flat
        training = {**self.config.describe(), "steps": self.step}
        return Model(self._task, self._network, parameters, training)

    def _result(self, reached: bool) -> TrainingResult:
        model = self._model()
        known = self._evaluate(model)
        model = Model(model.task, model.network, model.parameters, model.training, known.summary())
        examples = self.step * self.config.batch_size
        return TrainingResult(model, self.step, examples, known, reached)

    def _check_finite(self) -> None:
        if not np.isfinite(self._parameters.flat).all():
            rate = self.config.rate or self._optimizer.rate
            raise DivergedError(
                f"training diverged before step {self.step}: parameters are not finite; "
                f"lower the learning rate (now {rate:g}) or clip the gradient (--clip 1)"
            )


def train(task: str = "add", **settings: Any) -> TrainingResult:
    """Train a network.

    Args:
        task: Name of a task.
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
    return Trainer(TrainingConfig(task=task, **settings)).run()
