"""Induction over regions fitted to the network's memory, split where it fails."""

import time
from collections.abc import Callable
from typing import final

import numpy as np

from seqarith.certification.kernel.certificate import Certificate
from seqarith.certification.kernel.program import FloatArray, Program
from seqarith.certification.kernel.wellformed import MIN_TANH_ULPS, SMALLEST
from seqarith.certification.prove.dynamics import Dynamics, Readout
from seqarith.certification.prove.induction import Induction, Limits, Outcome, Regions
from seqarith.certification.prove.initial_region import enter
from seqarith.certification.prove.partition import Leaf, Partition
from seqarith.certification.prove.reachable import Samples
from seqarith.certification.prove.region_fitting import PLAIN, ROOMY, Style, parallelotopes

Progress = Callable[[int, int], None]
"""Called with the number of regions, and how many of them are proved."""

MAX_REGIONS = 2_000
MAX_WITH_MODES = 600  # the tests of modes are dear, and those that help are few
HISTORY = 24  # moves that a context may look back
OUT_OF_TIME = "the time ran out"
ORDER = 6  # generators of a zonotope, in multiples of M: fewer are faster, and come back later


@final
class Refinement:
    """Prove one leaf after the other, and split those that fail.

    A leaf's region is shaped once, when the leaf is made, so that what was proved of other leaves
    stays proved: a proof that starts at a leaf dies only with a leaf that its branches were on
    their way to.
    """

    def __init__(
        self,
        program: Program,
        cell: Dynamics,
        samples: Samples,
        eps: float,
        progress: Progress | None = None,
        modes: bool = False,
        style: Style = PLAIN,
    ) -> None:
        self.style = style
        self.program, self.cell, self.readout = program, cell, Readout(program)
        self.eps, self.exhausted = eps, False
        self.leaves = Partition(cell, program.next_state, samples, modes)
        self.regions: dict[Leaf, tuple[FloatArray, FloatArray]] = {}
        self.proved: dict[Leaf, set[Leaf]] = {}
        self.depth, self.most = 0, MAX_WITH_MODES if modes else MAX_REGIONS
        self.obstacle = OUT_OF_TIME
        self._progress = progress

    @property
    def method(self) -> str:
        """Name the attempt."""
        named = f"induction {self.eps}" + (", modes" if self.leaves.modes else "")
        return named + (", roomy" if self.style is ROOMY else "")

    def run(self, deadline: float) -> Certificate | None:
        """Go on until the deadline, of `time.monotonic`; None then, and where there is no way on.

        What was proved is kept: a later call goes on from there unless `exhausted` is set.
        """
        order = ORDER * self.program.memory
        limits = Limits(effort=self.style.effort, order=order, deadline=deadline)
        if not self.leaves.refine(self.eps, self.most):
            self._give_up("hidden vectors of equal recent letters do not come together")
            return None
        while self.leaves.close(self.most):
            fresh = self.leaves.members.keys() - self.regions.keys()
            shaped = self._shape(deadline)
            if shaped is None:
                self.obstacle = OUT_OF_TIME
                return None
            names, induction = shaped
            self._forget(names)
            pending = [
                i for i, x in enumerate(names) if (x in fresh if fresh else x not in self.proved)
            ]
            if not pending:
                return self._certificate(induction, limits)
            outcome = induction.from_regions(np.array(pending, np.intp), limits)
            late = time.monotonic() >= deadline
            if not self._learn(names, pending, outcome, late):
                self._give_up("the image of a region that cannot be split does not return")
                return None
            if self._progress:
                self._progress(len(names), len(self.proved))
            if late:
                self.obstacle = "images of regions had not returned into regions when time was up"
                return None
        self._give_up(f"more than {self.most:,} regions or {HISTORY} letters would be needed")
        return None

    def _give_up(self, obstacle: str) -> None:
        self.obstacle, self.exhausted = obstacle, True

    def _shape(self, deadline: float) -> tuple[list[Leaf], Induction] | None:
        """Give new leaves their regions, rounded to float32: what the certificate will hold.

        None where the deadline comes first.
        """
        names, successors = self.leaves.table()
        if not self.regions.keys() >= set(names):
            vectors = [self.leaves.vectors[x] for x in names]
            shaped = parallelotopes(self.cell, vectors, successors, self.style, deadline)
            if shaped is None:
                return None
            centres, shapes = (x.astype(np.float32).astype(np.float64) for x in shaped)
            for i, name in enumerate(names):
                self.regions.setdefault(name, (centres[i], shapes[i]))
        states = np.array([state for state, _, _ in names], np.intp)
        body = (np.stack(part) for part in zip(*(self.regions[x] for x in names), strict=True))
        return names, Induction(
            self.cell, self.readout, self.program.output, Regions(states, successors, *body)
        )

    def _forget(self, names: list[Leaf]) -> None:
        """Drop what rests on a leaf that is no more."""
        alive = set(names)
        self.regions = {x: region for x, region in self.regions.items() if x in alive}
        self.proved = {
            x: trail for x, trail in self.proved.items() if x in alive and trail <= alive
        }

    def _learn(self, names: list[Leaf], pending: list[int], outcome: Outcome, late: bool) -> bool:
        """Note the proofs, split the leaves that failed; False where a leaf cannot be split."""
        self.depth = max(self.depth, outcome.depth)
        for n, i in enumerate(pending):
            if not outcome.failed[n]:
                self.proved[names[i]] = {names[j] for j in np.flatnonzero(outcome.visited[n])}
            elif not late and not self.leaves.split(names[i]):
                return False
        return True

    def _certificate(self, induction: Induction, limits: Limits) -> Certificate | None:
        """Find a region that the start counts as being on its way to; write it all down."""
        p = self.program
        begun = enter(induction, p.start, p.next_state[0], limits)
        if begun is None:
            self._give_up("the first hidden vector does not come into a region")
            return None
        regions = begun.regions
        return Certificate(
            digest=p.digest(),
            dtype=p.dtype,
            tanh_ulps=MIN_TANH_ULPS,
            states=regions.states,
            successors=regions.successors,
            centres=regions.centres.astype(np.float32),
            shapes=regions.shapes.astype(np.float32),
            start=begun.start,
            depth=max(self.depth, begun.depth),
            order=limits.order,
            margin=SMALLEST,
        )
