"""The result of an evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, final

from seqarith.evaluation.function_check import Comparison, Disagreement
from seqarith.notebook import facts
from seqarith.prediction import Prediction
from seqarith.text import percent


@final
@dataclass(frozen=True)
class Evaluation:
    """The counts of an evaluation.

    Attributes:
        task: Name of the task.
        bits: Digits of each operand.
        mode: ``"exhaustive"``: every operand tuple; ``"sampled"``: operand tuples drawn
            uniformly, and additional ``directed`` words with long runs, such as carry chains.
        checked: Number of operand tuples that were run, without the directed words.
        correct: How many of them have every digit correct.
        digits: Number of their output digits.
        digits_correct: How many of these digits are correct.
        directed: Number of words with long runs that were run in addition.
        directed_correct: How many of them have every digit correct.
        min_margin: Smallest margin over all digits of all words.
        counterexamples: The wrong cases with the smallest operands, at most ten.
        by_chain: For every length of the longest chain: words, wrong words.
        chain: A name for such a chain, for instance ``"carry chain"``.
        comparison: Whether the task's function and the machine that was learned from it agree on
            operands of this width; None if the task holds no function.
        resumed: How many of the operand tuples were run in an earlier run, according to its
            checkpoint.
        rounding: By how much a logit may depend on the order of its sum.
    """

    task: str
    bits: int
    mode: Literal["exhaustive", "sampled"]
    checked: int
    correct: int
    digits: int
    digits_correct: int
    directed: int
    directed_correct: int
    min_margin: float
    counterexamples: tuple[Prediction, ...]
    by_chain: dict[int, tuple[int, int]]
    chain: str = "chain"
    comparison: Comparison | None = None
    resumed: int = 0
    rounding: float = 0.0

    def __repr__(self) -> str:
        counted = f"{self.correct:,} of {self.checked:,} correct, {self.mode}"
        return f"Evaluation({self.task}, width {self.bits}: {counted})"

    def _repr_html_(self) -> str:
        """Show the counts and the first wrong cases."""
        rows: list[tuple[str, object]] = [
            ("correct", f"{self.correct:,} of {self.checked:,} ({self.mode})"),
            ("correct digits", percent(Fraction(self.digits_correct, self.digits))),
            ("smallest margin", f"{self.min_margin:.3g}"),
        ]
        if self.directed:
            counted = f"{self.directed_correct:,} of {self.directed:,}"
            rows.insert(1, ("words with long runs right", counted))
        if self.comparison is not None:
            rows.append(("function", self.comparison))
        rows += [("wrong", prediction) for prediction in self.counterexamples]
        return facts(f"{self.task}, operands of {self.bits} digits", rows)

    @property
    def within_rounding(self) -> bool:
        """Whether the smallest margin is so small that the order of the sums may change a digit."""
        return abs(self.min_margin) < self.rounding

    @property
    def accuracy(self) -> float:
        """Fraction of the operand tuples with every digit correct."""
        return self.correct / self.checked

    @property
    def digit_accuracy(self) -> float:
        """Fraction of the digits that are correct."""
        return self.digits_correct / self.digits

    @property
    def exact(self) -> bool:
        """Whether every result is correct, and the task's function agrees with its machine."""
        correct = self.correct == self.checked and self.directed_correct == self.directed
        return correct and (self.comparison is None or self.comparison.agree)

    @property
    def disagreement(self) -> Disagreement | None:
        """Operands for which the task's function and its machine differ, if any were found."""
        return None if self.comparison is None else self.comparison.disagreement

    def summary(self) -> dict[str, Any]:
        """Return the counts, ready for JSON."""
        counts: dict[str, Any] = {
            "bits": self.bits,
            "mode": self.mode,
            "checked": self.checked,
            "correct": self.correct,
            "accuracy": self.accuracy,
            "digit_accuracy": self.digit_accuracy,
            "directed_checked": self.directed,
            "directed_correct": self.directed_correct,
            "min_margin": self.min_margin,
            "exact": self.exact,
        }
        return counts | ({} if self.comparison is None else self.comparison.record())
