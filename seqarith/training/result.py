"""What a run ended with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

from seqarith.certification.adapter import to_stored
from seqarith.certification.certificate import Certificate
from seqarith.evaluation.result import Evaluation
from seqarith.model import Model
from seqarith.training.course import Course


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

    @staticmethod
    def of(course: Course, row: int, reached: bool, proof: Certificate | None) -> TrainingResult:
        """Return the result of a network of a course, with its proof where there is one."""
        model, examples = course.model(row), course.step * course.config.batch
        model = replace(model, certificate=None if proof is None else to_stored(proof))
        known = course.examiner.evaluate(model)
        model = replace(model, evaluation=known.summary())
        return TrainingResult(model, course.step, examples, known, reached)
