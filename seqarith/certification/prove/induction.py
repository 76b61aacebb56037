"""k-induction with a k for each branch: zonotopes are stepped until they return into a region."""

import time
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from seqarith.certification.kernel.program import FloatArray, IntArray
from seqarith.certification.prove.dynamics import Dynamics, MarginBounds, Zonotopes

ROOM = 1 - 1e-6  # a zonotope must fit with this much room, for the rounding of the checker
LOST = 1.5  # a zonotope that is wider than this (half-width) in some unit never returns
CHUNK = 128  # branches stepped at once: their arrays fit the cache
CHUNK_NUMBERS = 1 << 21  # numbers in their generators, at most, which matters for wide networks
MAX_NUMBERS = 1 << 25  # numbers in the generators of all branches, at most: 256 MiB


@final
@dataclass(frozen=True, eq=False)
class Regions:
    """Parallelotopes to be proved inductive.

    Args:
        states: Machine state of each, shape (R,).
        successors: Region that each letter leads to, shape (R, A).
        centres: Shape (R, M).
        shapes: Generators, one a row, shape (R, M, M).
    """

    states: IntArray
    successors: IntArray
    centres: FloatArray
    shapes: FloatArray


@final
@dataclass(frozen=True)
class Limits:
    """Limits of an induction.

    Args:
        depth: Letters that a branch may read.
        effort: Zonotope steps that one origin may cost. An origin that costs much more than the
            others usually fails in the end; it is given up early, and split.
        order: Generators of a zonotope.
        deadline: Of `time.monotonic`.
    """

    depth: int = 500
    effort: int = 1_000
    order: int = 96
    deadline: float = float("inf")


@final
@dataclass(frozen=True, eq=False)
class InductionResult:
    """The outcome for each of N origins.

    Attributes:
        failed: Origins that are not proved, shape (N,).
        visited: Regions that their branches were on their way to, shape (N, R).
        depth: Letters of the longest branch.
        margin: The smallest margin of all origins that did not fail.
        steps: Zonotopes that were stepped under a letter.
    """

    failed: NDArray[np.bool_]
    visited: NDArray[np.bool_]
    depth: int
    margin: float
    steps: int


@final
@dataclass(frozen=True, eq=False)
class Branches:
    """Branches that have not returned yet.

    Args:
        to: Region that each is on its way to.
        origin: Number of the origin that it started from.
        sets: Its zonotope.
    """

    to: IntArray
    origin: IntArray
    sets: Zonotopes

    def __len__(self) -> int:
        return len(self.to)

    def take(self, n: IntArray | NDArray[np.bool_] | slice) -> "Branches":
        """Select some of the branches."""
        return Branches(self.to[n], self.origin[n], self.sets.take(n))

    @staticmethod
    def join(parts: list["Branches"]) -> "Branches":
        """Concatenate batches whose zonotopes have equally many generators."""
        sets = Zonotopes(*(np.concatenate(x) for x in zip(*(p.sets for p in parts), strict=True)))
        return Branches(
            np.concatenate([p.to for p in parts]), np.concatenate([p.origin for p in parts]), sets
        )


def overcrowded(live: Branches, origins: int) -> NDArray[np.bool_]:
    """Return which origins to give up so that the other branches fit the memory, shape (origins,).

    The origins with the most branches are given up first.
    """
    branches = np.bincount(live.origin, minlength=origins)
    surplus = len(live) - max(1, MAX_NUMBERS // max(1, live.sets.g[:1].size))
    most = np.argsort(-branches, kind="stable")
    before = np.cumsum(branches[most]) - branches[most]
    gone = np.zeros(origins, bool)
    gone[most[before < surplus]] = True
    return gone


@final
class Induction:
    """Steps zonotopes under every letter until each lies in the region that it is on its way to.

    Source: Sheeran, Singh and Stalmarck, Checking safety properties using induction and a
        SAT-solver, 2000 (k-induction).
    """

    def __init__(
        self, cell: Dynamics, readout: MarginBounds, output: IntArray, regions: Regions
    ) -> None:
        self.cell, self.readout, self.regions = cell, readout, regions
        self.output, self.digits = output, output[regions.states]
        self.inverse = np.linalg.inv(regions.shapes)

    def from_regions(self, which: IntArray, limits: Limits) -> InductionResult:
        """Start from regions: origin n is region ``which[n]``."""
        centres, shapes = self.regions.centres[which], self.regions.shapes[which]
        return self.run(
            Branches(
                which, np.arange(len(which)), Zonotopes(centres, shapes, np.zeros_like(centres))
            ),
            limits,
        )

    def from_point(self, point: FloatArray, to: IntArray, limits: Limits) -> InductionResult:
        """Start from one memory (M,), on its way to several regions: origin n to ``to[n]``."""
        n, width = len(to), len(point)
        sets = Zonotopes(
            np.repeat(point[None].astype(float), n, 0),
            np.zeros((n, 0, width)),
            np.zeros((n, width)),
        )
        return self.run(Branches(to, np.arange(n), sets), limits)

    def run(self, live: Branches, limits: Limits) -> InductionResult:
        """Step all branches together, and drop those of origins that have failed."""
        count = len(live)
        failed, spent = np.zeros(count, bool), np.zeros(count, np.intp)
        visited = np.zeros((count, len(self.digits)), bool)
        margin, depth = np.full(count, np.inf), 0
        while len(live) and depth < limits.depth and time.monotonic() < limits.deadline:
            depth += 1
            spent += self.regions.successors.shape[1] * np.bincount(live.origin, minlength=count)
            width = self.regions.centres.shape[1]
            size = max(1, min(CHUNK, CHUNK_NUMBERS // (width * (limits.order + 2 * width))))
            chunks = (live.take(slice(i, i + size)) for i in range(0, len(live), size))
            found = []
            for chunk in chunks:
                if time.monotonic() < limits.deadline:
                    found += self._step(chunk, failed, visited, margin, limits.order)
                else:
                    failed[chunk.origin] = True
            live = Branches.join(found) if found else live.take(slice(0))
            failed |= spent > limits.effort
            failed |= overcrowded(live, count)
            live = live.take(~failed[live.origin])
        failed[live.origin] = True
        return InductionResult(
            failed, visited, depth, float(margin[~failed].min(initial=np.inf)), int(spent.sum())
        )

    def _step(
        self,
        live: Branches,
        failed: NDArray[np.bool_],
        visited: NDArray[np.bool_],
        margin: FloatArray,
        order: int,
    ) -> list[Branches]:
        """Read every letter and return the branches that have not returned into a region.

        ``failed``, ``visited`` and ``margin`` are updated in place, by origin.
        """
        found = []
        for a, image in enumerate(self.cell.zonotopes(live.sets)):
            least = self.readout.zonotopes(image, self.digits[live.to, a])
            np.minimum.at(margin, live.origin, least)
            lost = ~(least > 0) | (image.radius().max(1) > LOST)
            failed[live.origin[lost]] = True
            on = np.flatnonzero(~failed[live.origin])
            to = self.regions.successors[live.to[on], a]
            visited[live.origin[on], to] = True
            n = ~self._is_contained(image.take(on), to)
            if n.any():
                found.append(Branches(to[n], live.origin[on][n], image.take(on[n]).reduced(order)))
        return found

    def _is_contained(self, z: Zonotopes, to: IntArray) -> NDArray[np.bool_]:
        """Return which zonotopes are contained in the regions ``to``."""
        inverse, offset = self.inverse[to], z.c - self.regions.centres[to]
        at = np.abs(offset[:, None] @ inverse)[:, 0]
        # The centre must be inside, which is cheap to test and excludes most of them.
        inside: NDArray[np.bool_] = at.max(1) < ROOM
        n = np.flatnonzero(inside)
        inverse = inverse[n]
        far = at[n] + np.abs(z.g[n] @ inverse).sum(1) + (z.e[n, None] @ np.abs(inverse))[:, 0]
        inside[n] = far.max(1) < ROOM
        return inside
