"""What a run ended with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, final

from seqarith.certification.adapter import to_stored
from seqarith.certification.claim import claim_of
from seqarith.certification.kernel.certificate import Certificate
from seqarith.evaluation.result import Evaluation
from seqarith.model import Model
from seqarith.training.stopping import StoppingCriterion


@final
@dataclass(frozen=True)
class TrainingResult:
    """What a run ended with.

    Attributes:
        model: The trained model; it carries its evaluation.
        steps: Updates that were made.
        examples: Words that were seen.
        evaluation: The model on operands of the training width.
        reached: Whether the goal was reached; false where the task's function differs from the
            machine that was learnt.
        history: A dict for every progress report and every restart, as ``train --log`` writes
            them; of this network. A run that was resumed has those since then.
    """

    model: Model
    steps: int
    examples: int
    evaluation: Evaluation
    reached: bool
    history: list[dict[str, Any]] = field(default_factory=list, compare=False, repr=False)

    @property
    def proved(self) -> bool:
        """Whether the model carries a proof, `claim`, that rests on nothing but the checker."""
        return self.model.certificate is not None

    @property
    def claim(self) -> str:
        """What the model's proof says and what it rests on; empty where it carries none."""
        return "" if self.model.certificate is None else str(claim_of(self.model))

    @staticmethod
    def of(
        criterion: StoppingCriterion,
        model: Model,
        reached: bool,
        proof: Certificate | None,
        history: list[dict[str, Any]],
    ) -> TrainingResult:
        """Return the result of a network, with its proof where there is one."""
        model = replace(model, certificate=None if proof is None else to_stored(proof))
        known = criterion.evaluate(model)
        model = replace(model, evaluation=known.summary())
        reached = reached and (known.comparison is None or known.comparison.agree)
        steps = model.training["steps"]
        examples = steps * model.training["batch_size"]
        return TrainingResult(model, steps, examples, known, reached, history)
