"""Whether a network is there yet: on the batch, on every operand tuple, for every width."""

from __future__ import annotations

from typing import final

import numpy as np

from seqarith.cells.cell import Array
from seqarith.certification.adapter import from_model
from seqarith.certification.kernel.certificate import Certificate
from seqarith.certification.prove.box_prover import FEW_LETTERS, LETTERS, prove_by_boxes
from seqarith.evaluation.evaluate import SAMPLES, evaluate, widest_exhaustive
from seqarith.evaluation.prefixes import is_exact
from seqarith.evaluation.result import Evaluation
from seqarith.model import Model
from seqarith.network import Program, margins
from seqarith.tasks.task import Letters
from seqarith.training.config import TrainingConfig

ALMOST = 0.98
THOROUGH_EVERY, NARROW = 50, 4
"""Steps between two tries that take longer: boxes split by more letters, and, for exact networks of
a few units, induction."""

QUICK_LIMIT = 2**16
"""Most operand tuples that are run, at a smaller width, before all of them are."""

EXACT_LIMIT = 2**24
"""Most operand tuples that are all run, to decide whether training is done; beyond, a sample."""

PROVED_LIMIT = 2**20
"""Most operand tuples that are all run, to be told, when there is a proof."""


@final
class StoppingCriterion:
    """Judges the networks of a run.

    Args:
        config: The settings of the run.
        steps: Length T of its words.
    """

    def __init__(self, config: TrainingConfig, steps: int) -> None:
        self._config, self._task, self._steps = config, config.built_task, steps

    def margins(self, logits: Array, letters: Letters) -> Array:
        """Return the margins of the results' digits for words (T, B).

        Args:
            logits: Of S networks, shape (S, T * B * K).
            letters: The words.

        Returns:
            Shape (S, T - delay, B).
        """
        by_step = logits.reshape(len(logits), *letters.shape, -1)
        expected = np.broadcast_to(self._task.expected(letters), by_step.shape[:-1])
        return margins(by_step, expected)[:, self._task.first_result_step(len(letters)) :]

    @property
    def needed(self) -> float:
        """Share of a batch's digits that must be right for a network to be looked at closely.

        Noise makes a few digits wrong that would be right without it.
        """
        return ALMOST if self._config.hidden_noise else 1.0

    def judge(self, model: Model) -> tuple[bool, Certificate | None]:
        """Return whether a model has reached the goal, and its proof where that is the goal."""
        if self._config.goal == "proved":
            thorough = model.training["steps"] % THOROUGH_EVERY == 0
            program = from_model(model)
            found = prove_by_boxes(program, LETTERS if thorough else FEW_LETTERS)
            if found is None and thorough and program.memory <= NARROW and self.exact(model):
                from seqarith.certification.prove.induction_prover import prove_by_few_regions

                found = prove_by_few_regions(program)
            return found is not None, None if found is None else found.certificate
        return self._config.goal == "exact" and self.exact(model), None

    def exact(self, model: Model) -> bool:
        """Return whether every operand tuple of the training width comes out right.

        Where those are more than `EXACT_LIMIT`: a sample.
        """
        task, bits = self._task, self._config.bits
        if task.machine is not None:
            program = Program(model.network, model.parameters, task.vectors)
            for limit in (QUICK_LIMIT, EXACT_LIMIT):
                widest = min(bits, widest_exhaustive(task, limit))
                if not is_exact(task, program, widest):
                    return False
                if widest == bits:
                    return True
        return self.evaluate(model).exact

    def evaluate(self, model: Model) -> Evaluation:
        """Count on every operand tuple of the training width, or on a sample that takes as long.

        Where there is a proof the count decides nothing, so it may not take long.
        """
        bits = self._config.bits
        limit = EXACT_LIMIT if model.certificate is None else PROVED_LIMIT
        if bits <= widest_exhaustive(self._task, limit):
            return evaluate(model, bits)
        return evaluate(model, bits, samples=max(1, min(SAMPLES, EXACT_LIMIT // self._steps)))
