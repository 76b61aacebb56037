"""The proof that training can afford every now and then: boxes, split by a few recent letters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

from seqarith.certification.kernel.certificate import Certificate
from seqarith.certification.kernel.check import DEFAULT, Accepted, Budget, check
from seqarith.certification.kernel.program import Program
from seqarith.certification.kernel.wellformed import MAX_WIDTH
from seqarith.certification.prove.boxes import is_affordable, prove_boxes
from seqarith.certification.prove.dynamics import Dynamics

LETTERS, FEW_LETTERS = 4, 3
"""Boxes are split by fewer letters than these: where there is time, and where there is little."""


@final
@dataclass(frozen=True)
class Found:
    """A proof.

    Attributes:
        certificate: What the checker has accepted.
        method: How it was found.
        accepted: What the check said.
    """

    certificate: Certificate
    method: str
    accepted: Accepted


def quick(program: Program, letters: int = LETTERS) -> Found | None:
    """Try boxes: a few milliseconds, which training can afford every now and then.

    The most finely split ones come first: mostly there is no proof yet, and where these fail
    others would but seldom suffice. Where they suffice, fewer boxes may, too.

    Args:
        program: What to prove.
        letters: Split the boxes by fewer letters than this.
    """
    if max(program.memory, program.letters) > MAX_WIDTH:
        return None
    cell = Dynamics(program)
    affordable = [k for k in range(letters) if is_affordable(program, k)]
    finest = prove_boxes(program, affordable[-1], cell) if affordable else None
    if finest is None:
        return None
    for k in affordable[:-1]:
        fewer = prove_boxes(program, k, cell)
        found = fewer and confirm(program, fewer, f"boxes k={k}")
        if found:
            return found
    return confirm(program, finest, f"boxes k={affordable[-1]}")


def confirm(
    program: Program, certificate: Certificate, method: str, budget: Budget = DEFAULT
) -> Found | None:
    """Have the checker decide; claim the depth that it found, and a little less than the margin.

    Where sums are added in another order the checker finds another margin, in the last bits.
    """
    verdict = check(program, certificate, budget)
    if not isinstance(verdict, Accepted):
        return None
    claimed = verdict.margin * (1 - 2.0**-20)
    return Found(replace(certificate, margin=claimed, depth=verdict.depth), method, verdict)
