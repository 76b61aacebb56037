"""The three verdicts of certification."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

from seqarith.certification.claim import Claim
from seqarith.certification.kernel.certificate import Certificate
from seqarith.notebook import facts
from seqarith.tasks.task import Task
from seqarith.text import shortened


@final
@dataclass(frozen=True)
class Proved:
    """The program is right on every word of every length, by its `certificate`.

    Attributes:
        claim: What is proved.
        certificate: The certificate that the checker has accepted.
        method: How it was found.
        margin: Lower bound of the logit margin on any word, rounding errors deducted.
        steps: Sets that the checker stepped under a letter.
        depth: Letters until the last set is in a region again.
        seconds: Time spent.
    """

    claim: Claim
    certificate: Certificate
    method: str
    margin: float
    steps: int
    depth: int
    seconds: float

    def __str__(self) -> str:
        return f"Proved. {self.claim}"

    def __repr__(self) -> str:
        return f"Proved({self.claim} {self.regions:,} regions, margin {self.margin:.3g})"

    def _repr_html_(self) -> str:
        """Show what is proved, and how."""
        rows = [
            ("smallest margin", f"{self.margin:.3g}"),
            ("regions", f"{self.regions:,}"),
            ("found by", self.method),
            ("seconds", f"{self.seconds:.2f}"),
        ]
        return facts(str(self), rows)

    @property
    def regions(self) -> int:
        """Regions of the hidden space that the certificate holds."""
        return self.certificate.regions


@final
@dataclass(frozen=True)
class Refuted:
    """The program is wrong on a word.

    Attributes:
        task: The task.
        word: Its letters; the digit after the last one is wrong, those before are right.
        operands: The naturals that the word encodes, each with as many digits as the word.
        predicted: The network's result.
        expected: The correct result.
        emitted: The wrong symbol.
        due: The correct symbol.
        shortest: Whether every shorter word was run and is right.
        exhausted: Words of at most so many letters were all run and are right.
        found_by: ``"exhaustive"``, ``"random"``, ``"periodic"`` or ``"beam"``.
        seconds: Time spent.
    """

    task: Task = field(repr=False)
    word: tuple[int, ...]
    operands: tuple[int, ...]
    predicted: int
    expected: int
    emitted: int
    due: int
    shortest: bool
    exhausted: int
    found_by: str
    seconds: float

    def __str__(self) -> str:
        return f"Refuted. {self._sum}"

    def __repr__(self) -> str:
        return f"Refuted({self._sum}, width {self.bits:,})"

    def _repr_html_(self) -> str:
        """Show what is wrong, and how long the operands have to be for it."""
        shorter = "all right" if self.shortest else f"all right up to {self.exhausted:,} digits"
        rows = [
            ("digits of the operands", f"{self.bits:,}"),
            ("shorter operands", shorter),
            ("found by", self.found_by),
            ("seconds", f"{self.seconds:.2f}"),
        ]
        return facts(str(self), rows)

    @property
    def _sum(self) -> str:
        right = shortened(self.task.result_text(self.expected))
        said = shortened(self.task.equation(self.operands, self.predicted))
        return f"{said} (wrong: {right} expected)"

    @property
    def bits(self) -> int:
        """Digits of each operand."""
        return len(self.word)

    @property
    def place(self) -> int:
        """The step, from 0, after which the wrong digit is emitted."""
        return len(self.word) - 1


@final
@dataclass(frozen=True)
class Undecided:
    """Neither a proof nor a wrong word was found; the program may be right or wrong.

    Attributes:
        obligation: What kept the last attempt from being a proof.
        regions: Regions of that attempt.
        proved_regions: How many of them are proved to lead only into regions.
        exhausted: Words of at most so many letters were all run and are right.
        seconds: Time spent.
    """

    obligation: str
    regions: int
    proved_regions: int
    exhausted: int
    seconds: float

    def __str__(self) -> str:
        return f"Undecided. {self.obligation}"

    def __repr__(self) -> str:
        return f"Undecided({self.proved_regions:,} of {self.regions:,} regions proved)"

    def _repr_html_(self) -> str:
        """Show how far the proof came, and what is known."""
        rows = [
            ("regions proved", f"{self.proved_regions:,} of {self.regions:,}"),
            ("right for all words up to", f"{self.exhausted:,} letters"),
            ("seconds", f"{self.seconds:.2f}"),
        ]
        return facts(str(self), rows)


Verdict = Proved | Refuted | Undecided
