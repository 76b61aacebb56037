"""Variable-k induction over zonotopes: every branch of a depth is one item of a batch."""

import time
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from seqarith.certification.kernel.program import FloatArray, IntArray
from seqarith.certification.prove.dynamics import Dynamics, Readout, Zonotopes

ROOM = 1 - 1e-6  # a zonotope must land with this much room, so that the checker's rounding fits in
LOST = 1.5  # a zonotope with a larger half-width than this in some unit will not come back
CHUNK = 128  # branches handled at once: what fits the cache
NUMBERS = 1 << 21  # in the generators of so many branches, at most: what fits the memory

HELD = 1 << 25  # in the generators of all branches, at most


@final
@dataclass(frozen=True, eq=False)
class Regions:
    """Parallelotopes that are to be proved inductive.

    Centres (R, H), shapes (R, H, H), successors (R, A).
    """

    states: IntArray
    successors: IntArray
    centres: FloatArray
    shapes: FloatArray


@final
@dataclass(frozen=True)
class Limits:
    """Bound an induction.

    Letters, zonotope steps that one origin may cost, generators, time (``time.monotonic``).

    An origin that costs much more than the others is on its way to fail, so it is given up and
    split.
    """

    depth: int = 500
    effort: int = 1_000
    order: int = 96
    deadline: float = float("inf")


@final
@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of the origins, and at what cost.

    Shapes: failed (N,); visited, the regions that branches were on the way to (N, R).

    The margin is the smallest of the origins that did not fail.
    """

    failed: NDArray[np.bool_]
    visited: NDArray[np.bool_]
    depth: int
    margin: float
    steps: int


@final
@dataclass(frozen=True, eq=False)
class Branches:
    """Live branches.

    The region that each is on its way to, the origin that it comes from, the zonotope.
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
        """Put batches with equally many generators together."""
        sets = Zonotopes(*(np.concatenate(x) for x in zip(*(p.sets for p in parts), strict=True)))
        return Branches(
            np.concatenate([p.to for p in parts]), np.concatenate([p.origin for p in parts]), sets
        )


def crowded(live: Branches, origins: int) -> NDArray[np.bool_]:
    """Say which origins to give up so that the others' branches fit the memory (origins,).

    Those with the most branches go first.
    """
    branches = np.bincount(live.origin, minlength=origins)
    surplus = len(live) - max(1, HELD // max(1, live.sets.g[:1].size))
    most = np.argsort(-branches, kind="stable")
    before = np.cumsum(branches[most]) - branches[most]
    gone = np.zeros(origins, bool)
    gone[most[before < surplus]] = True
    return gone


@final
class Induction:
    """Follow zonotopes letter by letter until each lands in the region that the successors name."""

    def __init__(
        self, cell: Dynamics, readout: Readout, output: IntArray, regions: Regions
    ) -> None:
        self.cell, self.readout, self.regions = cell, readout, regions
        self.output, self.digits = output, output[regions.states]
        self.inverse = np.linalg.inv(regions.shapes)

    def from_regions(self, which: IntArray, limits: Limits) -> Outcome:
        """Start at the regions ``which``: origin n is region which[n]."""
        centres, shapes = self.regions.centres[which], self.regions.shapes[which]
        return self.run(
            Branches(
                which, np.arange(len(which)), Zonotopes(centres, shapes, np.zeros_like(centres))
            ),
            limits,
        )

    def from_point(self, point: FloatArray, to: IntArray, limits: Limits) -> Outcome:
        """Start at one hidden vector (H,), on its way to each of the regions ``to`` at once.

        Origin n is to[n].
        """
        n, width = len(to), len(point)
        sets = Zonotopes(
            np.repeat(point[None].astype(float), n, 0),
            np.zeros((n, 0, width)),
            np.zeros((n, width)),
        )
        return self.run(Branches(to, np.arange(n), sets), limits)

    def run(self, live: Branches, limits: Limits) -> Outcome:
        """Step all branches together; drop those of an origin that has failed."""
        count = len(live)
        failed, spent = np.zeros(count, bool), np.zeros(count, np.intp)
        visited = np.zeros((count, len(self.digits)), bool)
        margin, depth = np.full(count, np.inf), 0
        while len(live) and depth < limits.depth and time.monotonic() < limits.deadline:
            depth += 1
            spent += self.regions.successors.shape[1] * np.bincount(live.origin, minlength=count)
            width = self.regions.centres.shape[1]
            size = max(1, min(CHUNK, NUMBERS // (width * (limits.order + 2 * width))))
            chunks = (live.take(slice(i, i + size)) for i in range(0, len(live), size))
            found = []
            for chunk in chunks:
                if time.monotonic() < limits.deadline:
                    found += self._step(chunk, failed, visited, margin, limits.order)
                else:
                    failed[chunk.origin] = True
            live = Branches.join(found) if found else live.take(slice(0))
            failed |= spent > limits.effort
            failed |= crowded(live, count)
            live = live.take(~failed[live.origin])
        failed[live.origin] = True
        return Outcome(
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
        """Read every letter; note failures and margins by origin.

        Give the branches that have yet to land.
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
            n = ~self._lands(image.take(on), to)
            if n.any():
                found.append(Branches(to[n], live.origin[on][n], image.take(on[n]).reduced(order)))
        return found

    def _lands(self, z: Zonotopes, to: IntArray) -> NDArray[np.bool_]:
        """Say which zonotopes lie in the regions ``to``.

        Only those whose centre does are looked at closely.
        """
        inverse, offset = self.inverse[to], z.c - self.regions.centres[to]
        at = np.abs(offset[:, None] @ inverse)[:, 0]
        inside: NDArray[np.bool_] = at.max(1) < ROOM
        n = np.flatnonzero(inside)
        inverse = inverse[n]
        far = at[n] + np.abs(z.g[n] @ inverse).sum(1) + (z.e[n, None] @ np.abs(inverse))[:, 0]
        inside[n] = far.max(1) < ROOM
        return inside
