"""The three verdicts of certification."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

from seqarith.certification.claim import Claim
from seqarith.certification.kernel.certificate import Certificate
from seqarith.tasks.task import Task


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


Verdict = Proved | Refuted | Undecided
