"""Progress reports of a run, and the hooks that receive them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

from seqarith.cells.cell import Array
from seqarith.text import percent

if TYPE_CHECKING:
    from seqarith.training.checkpoint import Checkpoint


class Report(ABC):
    """A progress report: a record for the log, and a text for people."""

    step: int
    stays: ClassVar[bool] = False
    """Whether a terminal keeps the text when another report follows."""

    @abstractmethod
    def record(self) -> dict[str, Any]:
        """Return the report, ready for JSON."""

    @abstractmethod
    def text(self) -> str:
        """Return the report as text of one or more lines."""

    def brief(self, most: int) -> str:
        """Return the report as one short line, for a run of at most ``most`` steps."""
        return f"step {self.step:,} of at most {most:,}"


@final
@dataclass(frozen=True)
class Progress(Report):
    """Loss and accuracy of the batch of one step.

    Attributes:
        step: Steps done.
        loss: Loss of the last step's words, before its update.
        accuracy: Share of those words with every digit correct.
        digit_accuracy: Share of their digits that are correct.
        min_margin: Smallest margin of their digits.
        noisy: Whether the hidden vectors had noise; without it more may be correct.
        candidate: Index of the best of several candidates; else None.
        seed: Seed of the network, in a run with many seeds; else None.
    """

    step: int
    loss: float
    accuracy: float
    digit_accuracy: float
    min_margin: float
    noisy: bool = False
    candidate: int | None = None
    seed: int | None = None

    @staticmethod
    def of(step: int, loss: float, margins: Array) -> Progress:
        """Return the report for margins (T - delay, B) of the digits of results."""
        correct = margins > 0
        words, digits = float(correct.all(axis=0).mean()), float(correct.mean())
        return Progress(step, loss, words, digits, float(margins.min()))

    def record(self) -> dict[str, Any]:
        record = {
            "step": self.step,
            "loss": self.loss,
            "accuracy": self.accuracy,
            "digit_accuracy": self.digit_accuracy,
            "min_margin": self.min_margin,
        }
        names = {"candidate": self.candidate, "seed": self.seed}
        return record | {key: number for key, number in names.items() if number is not None}

    def text(self) -> str:
        return (
            f"step {self.step:>6,}  loss {self.loss:<8.4g}  "
            f"words correct {percent(self.accuracy, 2):>7}  "
            f"digits correct {percent(self.digit_accuracy, 2):>7}{self._how}"
        )

    def brief(self, most: int) -> str:
        correct = percent(self.accuracy, 1)
        return f"{super().brief(most)}  loss {self.loss:.3g}  correct {correct}{self._how}"

    @property
    def _how(self) -> str:
        return "  (with noise)" if self.noisy else ""


@final
@dataclass(frozen=True)
class Restart(Report):
    """Training restarts from other weights.

    Attributes:
        step: The first step of the attempt.
        attempt: Number of the attempt, from 1.
    """

    step: int
    attempt: int
    stays = True

    def record(self) -> dict[str, Any]:
        return {"step": self.step, "attempt": self.attempt}

    def text(self) -> str:
        return (
            f"step {self.step:>6,}  goal not reached: restarts from other weights "
            f"(attempt {self.attempt:,})"
        )


@dataclass
class Hooks:
    """Functions that a caller passes to watch or stop a run.

    Attributes:
        report: Called with every report.
        checkpoint: Called with a checkpoint every ``checkpoint_every`` steps, and when stopped.
        checkpoint_every: Steps between checkpoints.
        stop: Called after every step; if it returns true, `KeyboardInterrupt` is raised.
    """

    report: Callable[[Report], None] | None = None
    checkpoint: Callable[[Checkpoint], None] | None = None
    checkpoint_every: int = 100
    stop: Callable[[], bool] | None = None
