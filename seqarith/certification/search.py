"""The search for a proof, from cheap to strong: boxes first, then induction over fitted regions.

It is not sound, and need not be: what it returns has passed `check`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import final

import numpy as np

from seqarith.certification.boxes import prove_boxes
from seqarith.certification.certificate import Certificate
from seqarith.certification.check import Accepted, check
from seqarith.certification.enclosure import Dynamics, Elman
from seqarith.certification.program import Program
from seqarith.certification.repair import Progress, Repair
from seqarith.certification.sampling import Samples, sample, words
from seqarith.certification.wellformed import MAX_WIDTH

LETTERS = 4  # boxes are split by fewer letters than this
SPREADS = (0.4, 0.15)  # half-width, at most, of one region's samples
SHARE = 0.8  # of the time left that each spread gets: the first proves nearly all that is proved
HISTORY = 24  # moves that a context may look back
STEPS, WORDS = 300, 400  # samples
MAX_LETTERS = 256  # the induction steps every region under every letter


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


@final
@dataclass(frozen=True)
class NotFound:
    """No proof, which decides nothing.

    Attributes:
        obligation: The one that was not met.
        regions: Regions of the last attempt.
        proved: How many of them were proved to be left only for one another.
    """

    obligation: str
    regions: int = 0
    proved: int = 0


def prove(
    program: Program, seconds: float = 20.0, progress: Progress | None = None
) -> Found | NotFound:
    """Seek a certificate for about so many seconds, not counting the check.

    Args:
        program: What to prove.
        seconds: When to give up.
        progress: Called with the regions of the induction and how many of them are proved.
    """
    deadline = time.monotonic() + seconds
    found = quick(program)
    return found if found is not None else thorough(program, deadline, progress)


def quick(program: Program, letters: int = LETTERS) -> Found | None:
    """Try boxes: a few milliseconds, which training can afford every now and then.

    Args:
        program: What to prove.
        letters: Split the boxes by fewer letters than this.
    """
    if max(program.hidden, program.letters) > MAX_WIDTH:
        return None
    cell = Elman(program)
    for k in range(letters):
        certificate = prove_boxes(program, k, cell)
        found = certificate and confirm(program, certificate, f"boxes k={k}")
        if found:
            return found
    return None


def thorough(
    program: Program, deadline: float, progress: Progress | None = None
) -> Found | NotFound:
    """Try induction over parallelotopes, from few regions to many.

    Args:
        program: What to prove.
        deadline: Of `time.monotonic`.
        progress: As in `prove`.
    """
    for name, size, most in (
        ("hidden units", program.hidden, MAX_WIDTH),
        ("letters", program.letters, MAX_LETTERS),
    ):
        if size > most:
            return NotFound(f"the induction is made for at most {most} {name}, not {size}")
    cell = Elman(program)
    samples = _samples(program, cell)
    last = NotFound("no time was left for the induction")
    for eps in SPREADS:
        now = time.monotonic()
        repair = Repair(program, cell, samples, progress)
        certificate = repair.run(eps, now + SHARE * (deadline - now))
        found = certificate and confirm(program, certificate, f"induction eps={eps}")
        if found:
            return found
        last = NotFound(repair.obstacle, len(repair.regions), len(repair.proved))
        if time.monotonic() >= deadline:
            break
    return last


def confirm(program: Program, certificate: Certificate, method: str) -> Found | None:
    """Have the checker decide, and claim the margin and depth that it found."""
    verdict = check(program, certificate)
    if not isinstance(verdict, Accepted):
        return None
    return Found(replace(certificate, margin=verdict.margin, depth=verdict.depth), method, verdict)


def _samples(program: Program, cell: Dynamics) -> Samples:
    drawn = words(np.random.default_rng(0), program.letters, STEPS, WORDS)
    return sample(cell, program.start, program.next_state, drawn, HISTORY)
