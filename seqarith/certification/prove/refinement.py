"""Induction over regions fitted to sampled memories; regions are split where it fails."""

import time
from collections.abc import Callable
from typing import final

import numpy as np

from seqarith.certification.kernel.certificate import Certificate
from seqarith.certification.kernel.program import FloatArray, Program
from seqarith.certification.kernel.wellformed import MIN_TANH_ULPS, SMALLEST
from seqarith.certification.prove.dynamics import Dynamics, MarginBounds
from seqarith.certification.prove.induction import Induction, InductionResult, Limits, Regions
from seqarith.certification.prove.initial_region import find_initial_region
from seqarith.certification.prove.partition import Leaf, Partition
from seqarith.certification.prove.reachable import Samples
from seqarith.certification.prove.region_fitting import (
    PLAIN,
    ROOMY,
    FittingOptions,
    fit_parallelotopes,
)

RegionProgress = Callable[[int, int], None]
"""Called with the number of regions, and how many of them are proved."""

MAX_REGIONS = 2_000
OUT_OF_TIME = "the time ran out"
MAX_WITH_CLUSTERS = 600  # tests of clusters are slow, and where they help a few are enough
HISTORY = 24  # transitions that tell regions apart, at most
ORDER = 6  # generators of a zonotope, in multiples of M: fewer are faster, but return later


@final
class Refinement:
    """Proves one leaf of a partition after the other, and splits the leaves that fail.

    A leaf's region is fitted once, when the leaf is made, so what is proved of other leaves remains
    proved: the proof of a leaf is dropped only with a leaf that its branches were on their way to.
    """

    def __init__(
        self,
        program: Program,
        cell: Dynamics,
        samples: Samples,
        eps: float,
        progress: RegionProgress | None = None,
        clusters: bool = False,
        fitting: FittingOptions = PLAIN,
    ) -> None:
        self.fitting = fitting
        self.program, self.cell, self.readout = program, cell, MarginBounds(program)
        self.eps, self.exhausted = eps, False
        self.leaves = Partition(cell, program.next_state, samples, clusters)
        self.regions: dict[Leaf, tuple[FloatArray, FloatArray]] = {}
        self.proved: dict[Leaf, set[Leaf]] = {}
        self.depth, self.most = 0, MAX_WITH_CLUSTERS if clusters else MAX_REGIONS
        self.obstacle = OUT_OF_TIME
        self._progress = progress

    @property
    def method(self) -> str:
        """A name of the attempt."""
        named = f"induction {self.eps}" + (", clusters" if self.leaves.clusters else "")
        return named + (", roomy" if self.fitting is ROOMY else "")

    def run(self, deadline: float) -> Certificate | None:
        """Return a certificate, or None at the deadline, of `time.monotonic`, or at a dead end.

        A later call continues where this one stopped, unless `exhausted` is set.
        """
        order = ORDER * self.program.memory
        limits = Limits(effort=self.fitting.effort, order=order, deadline=deadline)
        if not self.leaves.refine(self.eps, self.most):
            self._give_up("hidden vectors of equal recent letters do not come together")
            return None
        while self.leaves.close(self.most):
            fresh = self.leaves.members.keys() - self.regions.keys()
            fitted = self._fit(deadline)
            if fitted is None:
                self.obstacle = OUT_OF_TIME
                return None
            names, induction = fitted
            self._drop_stale(names)
            pending = [
                i for i, x in enumerate(names) if (x in fresh if fresh else x not in self.proved)
            ]
            if not pending:
                return self._certificate(induction, limits)
            outcome = induction.from_regions(np.array(pending, np.intp), limits)
            late = time.monotonic() >= deadline
            if not self._update(names, pending, outcome, late):
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

    def _fit(self, deadline: float) -> tuple[list[Leaf], Induction] | None:
        """Fit regions to new leaves, rounded to float32, as the certificate will hold them.

        None if the deadline comes first.
        """
        names, successors = self.leaves.table()
        if not self.regions.keys() >= set(names):
            vectors = [self.leaves.vectors[x] for x in names]
            shaped = fit_parallelotopes(self.cell, vectors, successors, self.fitting, deadline)
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

    def _drop_stale(self, names: list[Leaf]) -> None:
        """Drop the regions and proofs that depend on a leaf that was split."""
        alive = set(names)
        self.regions = {x: region for x, region in self.regions.items() if x in alive}
        self.proved = {
            x: trail for x, trail in self.proved.items() if x in alive and trail <= alive
        }

    def _update(
        self, names: list[Leaf], pending: list[int], outcome: InductionResult, late: bool
    ) -> bool:
        """Note the proofs and split the leaves that failed; return False if one cannot be split."""
        self.depth = max(self.depth, outcome.depth)
        for n, i in enumerate(pending):
            if not outcome.failed[n]:
                self.proved[names[i]] = {names[j] for j in np.flatnonzero(outcome.visited[n])}
            elif not late and not self.leaves.split(names[i]):
                return False
        return True

    def _certificate(self, induction: Induction, limits: Limits) -> Certificate | None:
        """Bring the start into the regions, and return the certificate."""
        p = self.program
        initial = find_initial_region(induction, p.start, p.next_state[0], limits)
        if initial is None:
            self._give_up("the first hidden vector does not come into a region")
            return None
        regions = initial.regions
        return Certificate(
            digest=p.digest(),
            dtype=p.dtype,
            tanh_ulps=MIN_TANH_ULPS,
            states=regions.states,
            successors=regions.successors,
            centres=regions.centres.astype(np.float32),
            shapes=regions.shapes.astype(np.float32),
            start=initial.start,
            depth=max(self.depth, initial.depth),
            order=limits.order,
            margin=SMALLEST,
        )
