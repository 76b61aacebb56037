"""The training loop of one network, of candidates, or of networks of many seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, final

import numpy as np

from seqarith.cells.cell import Array
from seqarith.certification.kernel.certificate import Certificate
from seqarith.errors import DivergedError
from seqarith.model import Model
from seqarith.network import Parameters
from seqarith.optimizers import SCRATCH
from seqarith.training.batched import BatchedNetworks
from seqarith.training.batches import Batches, SampledBatches
from seqarith.training.config import TrainingConfig
from seqarith.training.counterexamples import SEARCH_EVERY, CounterexampleTraining
from seqarith.training.progress import Hooks, Progress, Report, Restart
from seqarith.training.regularizers import Regularizers
from seqarith.training.result import Run
from seqarith.training.stopping import StoppingCriterion

if TYPE_CHECKING:
    from seqarith.training.checkpoint import Checkpoint
    from seqarith.training.interval_training import IntervalTraining
    from seqarith.training.seed_batch import SeedBatch

CHECK_EVERY = 10
"""Steps between two checks whether a network has reached the goal."""

PROGRESS_EVERY = 50
"""Steps between two progress reports, a multiple of `CHECK_EVERY`."""

EARLY, EARLY_EVERY = 200, 10
"""Up to step 200, reports are more frequent: many runs end there, and a curve needs points."""


@final
class Engine:
    """The state of a run of S networks on a leading axis, and the loop that trains them.

    Without ``seeds`` the networks are candidates: the run's seed determines all initial weights,
    noise and penalty follow the best of them, and training stops at the *first* that reaches the
    goal. With ``seeds`` each network is regularized, judged and ended independently, and training
    stops when *all* have ended, one group of seeds after another. When half of a group has ended,
    the others continue in smaller arrays.

    Args:
        config: The settings; ``candidates`` is the number of candidates.
        seeds: The seeds of the networks' initial weights, or None; the first seed of a group also
            determines its words and its noise.
        together: Number of networks in a group.

    Attributes:
        stop: ``"first"`` or ``"all"``, see above.
        step: Steps done.
        rows: The seed of every network in the arrays, or None.
        running: Rows of the networks that have not ended.
        best: Row of the best network at the last check.
        results: Results of the networks that have ended, by seed or row.
        history: A dict for every progress report and restart so far.
        batches, networks, regularizers, counterexamples, intervals, criterion: The parts, see
            their modules; ``intervals`` is None if the networks learn from words.
    """

    def __init__(
        self, config: TrainingConfig, seeds: Sequence[int] | None = None, together: int = 1
    ) -> None:
        self.stop: Literal["first", "all"] = "first" if seeds is None else "all"
        self.results: dict[int, Run] = {}
        self.config, self._seeds, self._together = config, seeds, together
        self._begin_group(0)

    def _begin_group(self, start: int) -> None:
        """Start with the candidates, or with the group of seeds that begins at an index."""
        config, self._start, self._group = self.config, start, None
        if self._seeds is not None:
            self._group = list(self._seeds[start : start + self._together])
            config = replace(config, seed=self._group[0], candidates=len(self._group))
        self.step, self.best, self.history = 0, 0, list[dict[str, Any]]()
        self.batches = _batches(config)
        self.criterion = StoppingCriterion(config, self.batches.steps)
        self._build(config, self._group)
        self._initialise(0)

    def _build(self, config: TrainingConfig, rows: Sequence[int] | None) -> None:
        """Create the arrays of networks, and the parts that use them."""
        self.config, self.rows = config, rows
        self.running = list(range(config.candidates))
        self.networks = BatchedNetworks(config, rows)
        noisy = config.hidden_noise > 0
        self._pass = self.networks.over(self.batches.steps, config.batch, noisy)
        self.regularizers = Regularizers(config, self._pass.unroll, each=rows is not None)
        self.counterexamples = CounterexampleTraining(config, self.networks, [])
        self.intervals = _intervals(config, self.networks)
        self._margins: tuple[int, Array] | None = None

    def _initialise(self, attempt: int) -> None:
        """Draw the initial weights of an attempt, numbered from 0, and reset all other state."""
        self.networks.initialise(attempt)
        self.regularizers.reset()
        if self.intervals is not None:
            self.intervals.reset()

    def run(self, hooks: Hooks) -> None:
        """Train until the goal or the last step is reached, then fill ``results``.

        Raises:
            DivergedError: A parameter is no longer finite.
            KeyboardInterrupt: ``hooks.stop`` returned true; a checkpoint was written before.
        """
        while True:
            with np.errstate(over="ignore", invalid="ignore"):
                while self.running and self.step < self.config.max_steps:
                    self.advance(hooks)
            self._end_rest()
            if self._seeds is None or self._start + self._together >= len(self._seeds):
                return
            self._begin_group(self._start + self._together)

    def advance(self, hooks: Hooks) -> None:
        """Make one training step, with its report, check and checkpoint, in this order."""
        # Without patience there is one attempt, as long as the run.
        attempt, before = divmod(self.step, self.config.patience or self.config.max_steps)
        if attempt > 0 and before == 0:
            self._initialise(attempt)
            self._tell(Restart(self.step + 1, attempt + 1), hooks)
        inputs, targets = self.batches(self.step)
        if self.intervals is None:
            self.regularizers.add_noise(self.step)
            self._pass.run(inputs, targets, self._penalty if self.regularizers.active else None)
            self.counterexamples.add_gradient(self.step)
        else:
            if (self.step + 1) % CHECK_EVERY == 0:  # words only measure progress
                self._pass.run(inputs, targets)
            self.intervals.compute_gradient()
        self.step += 1
        learner = self.networks if self.intervals is None else self.intervals
        learner.update(self.config.rate_at(self.step), before + 1)
        self._report(hooks)
        if self.step % CHECK_EVERY == 0:
            self._judge()
            self._drop_ended()
        if self.running:
            self._save(hooks)

    def _penalty(self) -> None:
        self.regularizers.add_penalty(self.batches.moves(self.step))

    def _report(self, hooks: Hooks) -> None:
        """Report on the words of the last step, with the parameters before its update."""
        iteration = self.step - 1
        if self.config.preset == "tutorial":
            from seqarith.training.tutorial import REPORT_EVERY, TutorialReport

            if iteration % REPORT_EVERY == 0:
                pair = self.config.built_task.operands_of(self.batches.letters(iteration))
                operands = pair[0][0], pair[1][0]
                self._tell(TutorialReport.of(iteration, operands, self.logits(0)), hooks)
        elif self.step % (EARLY_EVERY if self.step <= EARLY else PROGRESS_EVERY) == 0:
            self.check_finite()
            targets, margins = self.batches(iteration)[1], self.margins()
            for row in [self.best] if self.stop == "first" else self.running:
                logits = self.logits(row)
                loss = self.config.built_loss.value(logits, targets, self.batches.steps)
                progress = Progress.of(self.step, float(loss), margins[row])
                noisy = self.config.hidden_noise > 0
                self._tell(replace(progress, noisy=noisy, **self._name(row)), hooks)

    def _name(self, row: int) -> dict[str, int]:
        """Return the key that identifies a network among those beside it."""
        if self.rows is not None:
            return {"seed": self.rows[row]}
        return {"candidate": row} if self.config.candidates > 1 else {}

    def _tell(self, report: Report, hooks: Hooks) -> None:
        self.history.append({"step": report.step, **report.record()})
        if hooks.report:
            hooks.report(report)

    def logits(self, row: int) -> Array:
        """Return the logits of one network on the words of the last step, shape (T * B, K)."""
        logits = self._pass.unroll.logits
        one: Array = logits.reshape(-1, *logits.shape[-2:])[row]
        return one

    def margins(self) -> Array:
        """Return the margins of the digits of results on those words, (S, T - delay, B)."""
        # A report and a check are often due after the same step, and both read them.
        if self._margins is None or self._margins[0] != self.step:
            logits = self._pass.unroll.logits.reshape(self.config.candidates, -1)
            letters = self.batches.letters(self.step - 1)
            self._margins = self.step, self.criterion.margins(logits, letters)
        return self._margins[1]

    def _judge(self) -> None:
        """Measure the networks on the batch, and end those that have reached the goal."""
        self.check_finite()
        if (
            self.config.goal == "steps"
            and not self.regularizers.used
            and self.config.candidates == 1
        ):
            return
        shares = np.full(self.config.candidates, -1.0)  # of correct digits; -1: it has ended
        shares[self.running] = (self.margins()[self.running] > 0).mean(axis=(1, 2))
        self.best = int(shares.argmax())
        self.regularizers.update(shares if self.stop == "all" else shares[self.best])
        if self.config.goal == "steps" or (self.intervals and not self.intervals.is_promising()):
            return
        for row in np.argsort(shares, kind="stable")[::-1].tolist():
            if shares[row] < self.criterion.needed:
                break
            reached, proof = self.criterion.judge(self.model(row))
            if reached:
                self._end(row, True, proof)
                shares[row] = -1
                if not self.running:
                    return
        self.best = int(shares.argmax())
        due = self.config.goal == "proved" and self.step % SEARCH_EVERY == 0
        if due and shares[self.best] >= self.criterion.needed:
            self.counterexamples.search(self.model(self.best))

    def _end(self, row: int, reached: bool, proof: Certificate | None) -> None:
        number = row if self.rows is None else self.rows[row]
        history = [entry for entry in self.history if entry.get("seed", number) == number]
        model = self.model(row)
        self.results[number] = Run.of(self.criterion, model, reached, proof, history)
        self.best = row
        self.running = [] if self.stop == "first" else [i for i in self.running if i != row]

    def _end_rest(self) -> None:
        """End the networks at the last step: of candidates, only the best."""
        self.check_finite()
        for row in [self.best] if self.stop == "first" and self.running else self.running:
            self._end(row, self.config.goal == "steps", None)

    def _drop_ended(self) -> None:
        """Remove the networks that have ended from the arrays, once they are half of them."""
        if 0 < 2 * len(self.running) <= self.config.candidates and self.rows is not None:
            state, rows = self.checkpoint(), self.running
            config = replace(self.config, candidates=len(rows))
            self._build(config, [self.rows[row] for row in rows])
            self._copy(replace(state, best=0), rows)

    def _save(self, hooks: Hooks) -> None:
        """Pass on a checkpoint if it is time; after `_judge`, which changes the state."""
        stop = hooks.stop is not None and hooks.stop()
        if hooks.checkpoint and (stop or self.step % hooks.checkpoint_every == 0):
            self.check_finite()
            hooks.checkpoint(self.checkpoint())
        if stop:
            raise KeyboardInterrupt

    def checkpoint(self) -> Checkpoint:
        """Return the state of the run."""
        from seqarith.training.checkpoint import Checkpoint
        from seqarith.training.seed_batch import SeedBatch

        memory = {k: v.copy() for k, v in self.networks.memory.items() if k != SCRATCH}
        batch = None
        if self._seeds is not None and self.rows is not None:
            batch = SeedBatch.of(
                self._seeds, self._together, self.rows, self.results, self.config.network
            )
        return Checkpoint(
            self.config,
            self.step,
            self.networks.flat.copy(),
            memory,
            self.regularizers.state.copy(),
            self.counterexamples.words,
            None if self.intervals is None else self.intervals.state.copy(),
            self.best,
            batch,
        )

    def restore(self, checkpoint: Checkpoint) -> None:
        """Resume from a checkpoint.

        Raises:
            CheckpointError: It belongs to another run.
        """
        batch = checkpoint.batch
        checkpoint.check_same_seeds(self._seeds, self._together)
        if batch is not None:
            self._begin_group(batch.start)
            self._build(replace(self.config, candidates=len(batch.rows)), batch.rows)
        checkpoint.check_same_run(self.config)
        self._copy(checkpoint)
        if batch is not None:
            self._restore_results(batch)

    def _restore_results(self, batch: SeedBatch) -> None:
        shapes, rows = self.config.network.exported_shapes(), batch.rows
        for seed, steps, reached, flat in batch.ended():
            model = self._model(Parameters(flat, shapes), steps, seed, batch.group_of(seed))
            # The proof is not in the checkpoint: the same search finds it again.
            proof = self.criterion.judge(model)[1] if reached else None
            self.results[seed] = Run.of(self.criterion, model, reached, proof, [])
        self.running = [row for row in self.running if rows[row] not in self.results]

    def _copy(self, state: Checkpoint, rows: Sequence[int] | slice = slice(None)) -> None:
        """Copy the state of all or some of the networks in a checkpoint."""
        self.step, self.best, self.counterexamples.words = state.step, state.best, state.words
        _copy_rows(state.parameters, self.networks.flat, rows)
        _copy_rows(state.regularizers, self.regularizers.state, rows)
        for name, array in state.memory.items():
            _copy_rows(array, self.networks.memory[name], rows)
        if self.intervals is not None and state.intervals is not None:
            _copy_rows(state.intervals, self.intervals.state, rows)

    def model(self, row: int) -> Model:
        """Return one of the networks as a model, with its settings."""
        seed = None if self.rows is None else self.rows[row]
        return self._model(self.networks.parameters(row), self.step, seed, self._group)

    def _model(
        self, parameters: Parameters, steps: int, seed: int | None, group: Sequence[int] | None
    ) -> Model:
        """Return the model of parameters that were trained with these settings.

        A model that was trained beside others names their seeds, which fix its words and noise.
        """
        training = {**self._description, "steps": steps}
        if seed is not None:
            training |= {"seed": seed, "candidates": 1}
        if group is not None and len(group) > 1:
            training["beside"] = list(group)
        return Model(self.config.built_task, self.config.network, parameters, training)

    @cached_property
    def _description(self) -> dict[str, Any]:
        settings = self.config.describe()
        settings.pop("own", None)  # it is in the model's task
        return settings

    def check_finite(self) -> None:
        """Check that the parameters of networks that have not ended are finite.

        Raises:
            DivergedError: A parameter is not finite.
        """
        rows = self.networks.flat.reshape(self.config.candidates, -1)
        if not np.isfinite(rows[self.running]).all():
            raise DivergedError(
                f"training diverged before step {self.step}: parameters are not finite; lower the "
                f"learning rate (now {self.config.initial_learning_rate:g}) or clip the gradient "
                "(--clip 1)"
            )


def _copy_rows(source: Array, target: Array, rows: Sequence[int] | slice) -> None:
    """Copy the rows of some networks; a single network has no leading axis."""
    size = source.shape[-1]
    target.reshape(-1, size)[...] = source.reshape(-1, size)[rows]


def _batches(config: TrainingConfig) -> Batches:
    if config.preset == "tutorial":
        from seqarith.training.tutorial import TutorialBatches

        return TutorialBatches(config)
    return SampledBatches(config)


def _intervals(config: TrainingConfig, networks: BatchedNetworks) -> IntervalTraining | None:
    if not config.interval_size:
        return None
    from seqarith.training.interval_training import IntervalTraining

    return IntervalTraining(config, networks)
