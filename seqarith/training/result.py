"""What a run ended with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

from seqarith.certification.adapter import to_stored
from seqarith.certification.claim import claim_of
from seqarith.certification.kernel.certificate import Certificate
from seqarith.evaluation.result import Evaluation
from seqarith.model import Model
from seqarith.training.engine import Engine


@final
@dataclass(frozen=True)
class Run:
    """What a run ended with.

    Attributes:
        model: The trained model; it carries its evaluation.
        steps: Updates that were made.
        examples: Words that were seen.
        evaluation: The model on operands of the training width.
        reached: Whether the goal was reached; false where the task's function differs from the
            machine that was learnt.
    """

    model: Model
    steps: int
    examples: int
    evaluation: Evaluation
    reached: bool

    @property
    def proved(self) -> bool:
        """Whether the model carries a proof, `claim`, that rests on nothing but the checker."""
        return self.model.certificate is not None

    @property
    def claim(self) -> str:
        """What the model's proof says and what it rests on; empty where it carries none."""
        return "" if self.model.certificate is None else str(claim_of(self.model))

    @staticmethod
    def of(course: Engine, row: int, reached: bool, proof: Certificate | None) -> Run:
        """Return the result of a network of a course, with its proof where there is one."""
        model, examples = course.model(row), course.step * course.config.batch
        model = replace(model, certificate=None if proof is None else to_stored(proof))
        known = course.examiner.evaluate(model)
        model = replace(model, evaluation=known.summary())
        reached = reached and (known.comparison is None or known.comparison.agree)
        return Run(model, course.step, examples, known, reached)
