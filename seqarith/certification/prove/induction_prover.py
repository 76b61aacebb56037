"""The strong prover: induction over regions fitted to sampled memories, from few to many regions.

It need not be sound: whatever it returns has passed `check`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import final

import numpy as np

from seqarith.certification.kernel.check import DEFAULT, Budget
from seqarith.certification.kernel.program import Program
from seqarith.certification.kernel.wellformed import MAX_WIDTH
from seqarith.certification.prove.box_prover import Proof, confirm
from seqarith.certification.prove.dynamics import Dynamics
from seqarith.certification.prove.reachable import draw_words, sample_reachable
from seqarith.certification.prove.refinement import HISTORY, Refinement, RegionProgress
from seqarith.certification.prove.region_fitting import PLAIN, FittingOptions

ATTEMPTS = ((0.4, False), (0.15, False), (0.4, True), (0.6, True))
"""For each attempt: half-width, at most, of one region's samples; whether clusters are split."""

STEPS, WORDS = 300, 400  # letters of a sampled word, and sampled words
NARROW = 4  # numbers of memory: up to here a try over few regions takes milliseconds
FEW_REGIONS = 100
MAX_LETTERS = 256  # every region is stepped under every letter


@final
@dataclass(frozen=True)
class NoProof:
    """No proof was found, which decides nothing.

    Attributes:
        obligation: What kept the last attempt from being a proof.
        regions: Regions of that attempt.
        proved: How many of them are proved to lead only into regions.
    """

    obligation: str
    regions: int = 0
    proved: int = 0


def prove_by_few_regions(program: Program) -> Proof | None:
    """Try induction over a few regions, without a clock, so that the result is reproducible.

    For memories of a few numbers this takes milliseconds, and proves programs that boxes do not.
    """
    if program.memory > NARROW:
        return None
    refinement = start_refinement(program, *ATTEMPTS[0])
    refinement.most = FEW_REGIONS
    certificate = refinement.run(float("inf"))
    return certificate and confirm(program, certificate, refinement.method)


def start_refinement(
    program: Program,
    eps: float,
    clusters: bool,
    progress: RegionProgress | None = None,
    fitting: FittingOptions = PLAIN,
) -> Refinement:
    """Return an attempt with its samples drawn and nothing proved yet."""
    cell = Dynamics(program)
    drawn = draw_words(np.random.default_rng(0), program.letters, STEPS, WORDS)
    samples = sample_reachable(cell, program.start, program.next_state, drawn, HISTORY)
    return Refinement(program, cell, samples, eps, progress, clusters, fitting)


def _budget(deadline: float) -> Budget:
    """Return the budget of a check that ends at a deadline of `time.monotonic`; 1 s at least."""
    left = max(1.0, deadline - time.monotonic())  # the default budget takes about 60 s
    return Budget(work=min(DEFAULT.work, left * DEFAULT.work / 60))


@final
class InductionProver:
    """Induction over parallelotopes, from few regions to many; a later run continues the last one.

    Args:
        program: The program.
        progress: Called with the number of regions, and how many of them are proved.
        fitting: How regions are fitted to samples.
    """

    def __init__(
        self,
        program: Program,
        progress: RegionProgress | None = None,
        fitting: FittingOptions = PLAIN,
    ) -> None:
        self._program, self._progress, self._fitting = program, progress, fitting
        self._left = list(ATTEMPTS)
        self._refinement: Refinement | None = None
        self._last = NoProof("no time was left for the induction")
        for name, size, most in (
            ("numbers of memory", program.memory, MAX_WIDTH),
            ("letters", program.letters, MAX_LETTERS),
        ):
            if size > most:
                self._left = []
                self._last = NoProof(f"{size} {name}: the induction is made for at most {most}")

    def run(self, deadline: float) -> Proof | NoProof:
        """Continue until the deadline, of `time.monotonic`.

        The next attempt begins only when the one before can get no further: more time spent on a
        coarse partition usually helps more than a finer one.
        """
        while self._left and time.monotonic() < deadline:
            refinement = self._refinement or start_refinement(
                self._program, *self._left[0], self._progress, self._fitting
            )
            self._refinement = refinement
            certificate = refinement.run(deadline)
            found = certificate and confirm(
                self._program, certificate, refinement.method, _budget(deadline)
            )
            if found:
                return found
            regions, proved = len(refinement.regions), len(refinement.proved)
            self._last = NoProof(refinement.obstacle, regions, proved)
            if certificate is not None or refinement.exhausted:
                self._left, self._refinement = self._left[1:], None
        return self._last
