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
    """A report: a record for the log, a text for people."""

    step: int
    stays: ClassVar[bool] = False
    """Whether a terminal keeps it, though another report follows."""

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
        candidate: Number of the network among candidates, from 0: the best; else None.
        seed: Of the network among those of many seeds; else None.
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
        """Return the report on words whose results' digits have margins (T - delay, B)."""
        right = margins > 0
        words, digits = float(right.all(axis=0).mean()), float(right.mean())
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
            f"words right {percent(self.accuracy, 2):>7}  "
            f"digits right {percent(self.digit_accuracy, 2):>7}{self._how}"
        )

    def brief(self, most: int) -> str:
        right = percent(self.accuracy, 1)
        return f"{super().brief(most)}  loss {self.loss:.3g}  right {right}{self._how}"

    @property
    def _how(self) -> str:
        return "  (with noise)" if self.noisy else ""


@final
@dataclass(frozen=True)
class Restart(Report):
    """Training begins anew with other weights.

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
            f"step {self.step:>6,}  goal not reached: begins anew with other weights "
            f"(attempt {self.attempt:,})"
        )


@dataclass
class Hooks:
    """What a caller may watch and decide.

    Attributes:
        report: Called with every report.
        checkpoint: Called with a checkpoint every ``checkpoint_every`` steps, and when stopped.
        checkpoint_every: Steps between checkpoints.
        stop: Asked after every step whether to stop; then `KeyboardInterrupt` is raised.
    """

    report: Callable[[Report], None] | None = None
    checkpoint: Callable[[Checkpoint], None] | None = None
    checkpoint_every: int = 100
    stop: Callable[[], bool] | None = None
