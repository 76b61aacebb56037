"""The search for a proof, from cheap to strong: boxes first, then induction over fitted regions.

It is not sound, and need not be: what it returns has passed `check`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import final

import numpy as np

from seqarith.certification.kernel.check import DEFAULT, Budget
from seqarith.certification.kernel.program import Program
from seqarith.certification.kernel.wellformed import MAX_WIDTH
from seqarith.certification.prove.box_prover import Found, confirm, quick
from seqarith.certification.prove.dynamics import Dynamics
from seqarith.certification.prove.reachable import sample, words
from seqarith.certification.prove.refinement import HISTORY, Progress, Refinement
from seqarith.certification.prove.region_fitting import PLAIN, Style

ATTEMPTS = ((0.4, False), (0.15, False), (0.4, True), (0.6, True))
"""Half-width, at most, of one region's samples; whether modes are looked for."""

STEPS, WORDS = 300, 400  # samples
NARROW, FEW_REGIONS = 4, 100
MAX_LETTERS = 256  # the induction steps every region under every letter


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
    return found if found is not None else InductionProver(program, progress).run(deadline)


def narrow(program: Program) -> Found | None:
    """Try induction over a few regions, with no clock: what it finds is a function of the program.

    In the space of a few hidden units that takes milliseconds, and proves what boxes do not.
    """
    if program.memory > NARROW:
        return None
    repair = started(program, *ATTEMPTS[0])
    repair.most = FEW_REGIONS
    certificate = repair.run(float("inf"))
    return certificate and confirm(program, certificate, repair.method)


def started(
    program: Program,
    eps: float,
    modes: bool,
    progress: Progress | None = None,
    style: Style = PLAIN,
) -> Refinement:
    """Return an attempt that has its samples, and nothing proved yet."""
    cell = Dynamics(program)
    drawn = words(np.random.default_rng(0), program.letters, STEPS, WORDS)
    samples = sample(cell, program.start, program.next_state, drawn, HISTORY)
    return Refinement(program, cell, samples, eps, progress, modes, style)


def _budget(deadline: float) -> Budget:
    """Return what a check may cost before a deadline of `time.monotonic`; a second at least."""
    left = max(1.0, deadline - time.monotonic())
    return Budget(work=min(DEFAULT.work, left * DEFAULT.work / 60))


@final
class InductionProver:
    """Induction over parallelotopes, from few regions to many; it can be run on where it stopped.

    Args:
        program: What to prove.
        progress: As in `prove`.
        style: How its regions are cut.
    """

    def __init__(
        self, program: Program, progress: Progress | None = None, style: Style = PLAIN
    ) -> None:
        self._program, self._progress, self._style = program, progress, style
        self._left = list(ATTEMPTS)
        self._repair: Refinement | None = None
        self._last = NotFound("no time was left for the induction")
        for name, size, most in (
            ("numbers of memory", program.memory, MAX_WIDTH),
            ("letters", program.letters, MAX_LETTERS),
        ):
            if size > most:
                self._left = []
                self._last = NotFound(f"{size} {name}: the induction is made for at most {most}")

    def run(self, deadline: float) -> Found | NotFound:
        """Go on until the deadline, of `time.monotonic`.

        A finer spread is tried only where the coarser one has no way on: more time helps it more.
        """
        while self._left and time.monotonic() < deadline:
            repair = self._repair or started(
                self._program, *self._left[0], self._progress, self._style
            )
            self._repair = repair
            certificate = repair.run(deadline)
            found = certificate and confirm(
                self._program, certificate, repair.method, _budget(deadline)
            )
            if found:
                return found
            self._last = NotFound(repair.obstacle, len(repair.regions), len(repair.proved))
            if certificate is not None or repair.exhausted:
                self._left, self._repair = self._left[1:], None
        return self._last
