"""What a run says about itself as it goes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, final

from seqarith.text import percent


class Report(ABC):
    """A report: a record for the log, a text for people."""

    step: int

    @abstractmethod
    def record(self) -> dict[str, Any]:
        """Return the report, ready for JSON."""

    @abstractmethod
    def text(self) -> str:
        """Return the report in words; it may have several lines."""

    def brief(self, most: int) -> str:
        """Return the report as one short line, for a run of at most so many steps."""
        return f"step {self.step:,} of at most {most:,}"


@final
@dataclass(frozen=True)
class Progress(Report):
    """Loss and accuracy of the batch of one step.

    Attributes:
        step: Steps done.
        loss: Loss of the last step's words, before its update.
        accuracy: Share of those words with every digit right.
        digit_accuracy: Share of their digits that are right.
        min_margin: Smallest margin of their digits.
        noisy: Whether the hidden vectors had noise; without it more may be right.
    """

    step: int
    loss: float
    accuracy: float
    digit_accuracy: float
    min_margin: float
    noisy: bool = False

    def record(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "loss": self.loss,
            "accuracy": self.accuracy,
            "digit_accuracy": self.digit_accuracy,
            "min_margin": self.min_margin,
        }

    def text(self) -> str:
        return (
            f"step {self.step:>6,}  loss {self.loss:<8.4g}  "
            f"words right {percent(self.accuracy, 2):>7}  "
            f"digits right {percent(self.digit_accuracy, 2):>7}{self._how}"
        )

    def brief(self, most: int) -> str:
        right = percent(self.accuracy, 1)
        return f"{super().brief(most)}  loss {self.loss:.3g}  right {right}{self._how}"

    @property
    def _how(self) -> str:
        return "  (with noise)" if self.noisy else ""
