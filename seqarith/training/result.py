"""The result of a training run."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, final

from seqarith.certification.adapter import to_stored
from seqarith.certification.claim import claim_of
from seqarith.certification.kernel.certificate import Certificate
from seqarith.evaluation.result import Evaluation
from seqarith.model import Model
from seqarith.notebook import facts
from seqarith.training.stopping import StoppingCriterion


@final
@dataclass(frozen=True)
class Run:
    """The result of a training run.

    Attributes:
        model: The trained model, with its evaluation.
        steps: Number of training steps.
        examples: Number of training words.
        evaluation: The model on operands of the training width.
        reached: Whether the goal was reached; false if the task's function differs from the
            machine that was learned from it.
        history: A dict for every progress report and restart of this network, as ``train --log``
            writes them. A resumed run has those since it resumed.
    """

    model: Model
    steps: int
    examples: int
    evaluation: Evaluation
    reached: bool
    history: list[dict[str, Any]] = field(default_factory=list, compare=False, repr=False)

    def __repr__(self) -> str:
        known = self.evaluation
        counted = f"{known.correct:,} of {known.checked:,} correct, {self.steps:,} steps"
        proof = ", proved" if self.proved else ""
        return f"Run({known.task}, width {known.bits}: {counted}{proof})"

    def _repr_html_(self) -> str:
        """Show the result as a table."""
        known = self.evaluation
        rows = [
            ("goal", "reached" if self.reached else "not reached"),
            ("proof", self.claim or "none"),
            ("correct", f"{known.correct:,} of {known.checked:,} ({known.mode})"),
            ("smallest margin", f"{known.min_margin:.3g}"),
            ("steps", f"{self.steps:,}"),
            ("examples", f"{self.examples:,}"),
        ]
        return facts(f"Run of {known.task}, operands of {known.bits} digits", rows)

    @property
    def proved(self) -> bool:
        """Whether the model has a proof of `claim`; to trust it, trust only the checker."""
        return self.model.certificate is not None

    @property
    def claim(self) -> str:
        """The statement that the model's proof proves, and its assumptions; empty without one."""
        return "" if self.model.certificate is None else str(claim_of(self.model))

    @staticmethod
    def of(
        criterion: StoppingCriterion,
        model: Model,
        reached: bool,
        proof: Certificate | None,
        history: list[dict[str, Any]],
    ) -> Run:
        """Return the result of a network, with its proof if there is one."""
        model = replace(model, certificate=None if proof is None else to_stored(proof))
        known = criterion.evaluate(model)
        model = replace(model, evaluation=known.summary())
        reached = reached and (known.comparison is None or known.comparison.agree)
        steps = model.training["steps"]
        examples = steps * model.training["batch_size"]
        return Run(model, steps, examples, known, reached, history)
