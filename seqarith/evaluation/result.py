"""What an evaluation found."""

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
    """What was counted.

    Attributes:
        task: Name of the task.
        bits: Digits of each operand.
        mode: ``"exhaustive"``: every operand tuple; ``"sampled"``: operand tuples drawn
            uniformly, and besides ``directed`` words with long runs, for instance carry chains.
        checked: Operand tuples that were run, without the directed ones.
        correct: How many of them came out right, every digit.
        digits: Output digits of all those.
        digits_correct: How many of them are right.
        directed: Words with long runs that were run besides.
        directed_correct: How many of them came out right.
        min_margin: Smallest margin over all digits of all words.
        counterexamples: The first wrong cases in the order of the operands, at most ten.
        by_chain: For every length of the longest chain: words, wrong words.
        chain: What such a chain is, for instance ``"carry chain"``.
        comparison: Where the task's function is at hand: whether it and the machine that was found
            in it agree on operands of this width.
        resumed: How many of the operand tuples were not run now but in an earlier run, as its
            checkpoint says.
        rounding: By how much a logit may depend on the order in which its sum is added up.
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
        counted = f"{self.correct:,} of {self.checked:,} right, {self.mode}"
        return f"Evaluation({self.task}, width {self.bits}: {counted})"

    def _repr_html_(self) -> str:
        """Show the counts and the first wrong cases."""
        rows: list[tuple[str, object]] = [
            ("right", f"{self.correct:,} of {self.checked:,} ({self.mode})"),
            ("digits right", percent(Fraction(self.digits_correct, self.digits))),
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
        """Whether the smallest margin is so small that another order of the sums may decide."""
        return abs(self.min_margin) < self.rounding

    @property
    def accuracy(self) -> float:
        """Share of the operand tuples with every digit right."""
        return self.correct / self.checked

    @property
    def digit_accuracy(self) -> float:
        """Share of the digits that are right."""
        return self.digits_correct / self.digits

    @property
    def exact(self) -> bool:
        """Whether nothing that was run came out wrong, seen from the function too."""
        right = self.correct == self.checked and self.directed_correct == self.directed
        return right and (self.comparison is None or self.comparison.agree)

    @property
    def disagreement(self) -> Disagreement | None:
        """Operands for which the task's function and its machine differ, if any were found."""
        return None if self.comparison is None else self.comparison.disagreement

    def summary(self) -> dict[str, Any]:
        """Return the counts alone, ready for JSON."""
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
