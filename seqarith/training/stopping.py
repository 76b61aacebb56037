"""Stopping criteria: correct on the batch, on every operand tuple, at every width."""

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
from seqarith.network import InferencePass, margins
from seqarith.tasks.task import Letters
from seqarith.training.config import TrainingConfig

ALMOST = 0.98
"""Share of correct digits in a noisy batch from which a proof is tried."""

THOROUGH_EVERY, NARROW = 50, 4
"""Steps between two slower attempts at a proof, with boxes split by more letters; and the largest
memory of an exact network for which induction is tried as well."""

QUICK_LIMIT = 2**16
"""Most operand tuples in a first check, at a smaller width."""

EXACT_LIMIT = 2**24
"""Most operand tuples that are all checked to end training; beyond, a sample is."""

PROVED_LIMIT = 2**20
"""Most operand tuples that are all checked, for the report, if there is a proof."""


@final
class StoppingCriterion:
    """Decides which networks of a run have reached the goal.

    Args:
        config: The settings of the run.
        steps: Length T of its words.
    """

    def __init__(self, config: TrainingConfig, steps: int) -> None:
        self._config, self._task, self._steps = config, config.built_task, steps

    def margins(self, logits: Array, letters: Letters) -> Array:
        """Return the margins of the digits of results for words (T, B).

        Args:
            logits: Logits of S networks, shape (S, T * B * K).
            letters: The words.

        Returns:
            Shape (S, T - delay, B).
        """
        by_step = logits.reshape(len(logits), *letters.shape, -1)
        expected = np.broadcast_to(self._task.expected(letters), by_step.shape[:-1])
        return margins(by_step, expected)[:, self._task.first_result_step(len(letters)) :]

    @property
    def needed(self) -> float:
        """Share of correct digits in a batch from which a network is judged.

        Noise makes a few digits wrong that would be correct without it.
        """
        return ALMOST if self._config.hidden_noise else 1.0

    def judge(self, model: Model) -> tuple[bool, Certificate | None]:
        """Return whether a model has reached the goal, and its proof if the goal is a proof."""
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
        """Return whether the model is correct on every operand tuple of the training width.

        Above `EXACT_LIMIT` tuples it checks a sample.
        """
        task, bits = self._task, self._config.bits
        if task.machine is not None:
            program = InferencePass(model.network, model.parameters, task.vectors)
            for limit in (QUICK_LIMIT, EXACT_LIMIT):  # most networks fail the first, cheap check
                widest = min(bits, widest_exhaustive(task, limit))
                if not is_exact(task, program, widest):
                    return False
                if widest == bits:
                    return True
        return self.evaluate(model).exact

    def evaluate(self, model: Model) -> Evaluation:
        """Evaluate every operand tuple of the training width, or a sample that takes as long.

        With a proof the evaluation decides nothing, so it is limited to less time.
        """
        bits = self._config.bits
        limit = EXACT_LIMIT if model.certificate is None else PROVED_LIMIT
        if bits <= widest_exhaustive(self._task, limit):
            return evaluate(model, bits)
        return evaluate(model, bits, samples=max(1, min(SAMPLES, EXACT_LIMIT // self._steps)))
