"""Partition of sampled memories by the last transitions, as many as needed, and by clusters.

A transition is a letter with the state that it was read in: the digit that is emitted, which a
hidden vector shows, depends on both. A network may remember more than its machine for ever, so that
memories stay apart however many transitions they share; such memories are split into clusters. The
partition only serves to find regions, and is no part of the certificate.
"""

from __future__ import annotations

from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from seqarith.certification.kernel.program import FloatArray, IntArray
from seqarith.certification.prove.dynamics import Dynamics
from seqarith.certification.prove.reachable import Samples, sample_after

FEW = 40  # a leaf with fewer samples gets more: others are stepped through its transitions
POINT = 0.01  # half-width of memories that are not split any further
MIN_TRANSITIONS = 1  # memories that stay apart after so many transitions are taken for clusters
MIN_GAP = 0.5  # between clusters, in multiples of the half-width aimed at


class UnitThreshold(NamedTuple):
    """A test that splits memories: whether one unit is above a threshold after some letters."""

    letters: tuple[int, ...]
    unit: int
    threshold: float

    def side(self, cell: Dynamics, h: FloatArray) -> NDArray[np.bool_]:
        """Return which memories (N, M) pass, shape (N,)."""
        for a in self.letters:
            h = cell.points(h, np.full(len(h), a))
        above: NDArray[np.bool_] = h[:, self.unit] > self.threshold
        return above

    def after(self, letter: int) -> UnitThreshold:
        """Return the test of memories that this one is of their images under a letter."""
        return UnitThreshold((letter, *self.letters), self.unit, self.threshold)


def widest_gap(h: FloatArray) -> tuple[UnitThreshold, float]:
    """Return the test at the widest gap of memories (N, M) in any unit, N > 1, and the gap."""
    ordered = np.sort(h, 0)
    gaps = np.diff(ordered, axis=0)
    n, unit = np.unravel_index(gaps.argmax(), gaps.shape)
    middle = (ordered[n, unit] + ordered[n + 1, unit]) * 0.5
    return UnitThreshold((), int(unit), float(middle)), float(gaps[n, unit])


def half_width(h: FloatArray) -> float:
    """Return the largest half-width of memories (N, M) in any unit."""
    return float((h.max(0) - h.min(0)).max() * 0.5)


Leaf = tuple[int, tuple[int, ...], tuple[tuple[UnitThreshold, bool], ...]]
"""State, last transitions (the latest first), and tests with the side on which it lies."""


@final
class Partition:
    """Samples by state, last transitions and clusters.

    It is a decision tree: an inner node is split by one more transition, or by a test of the
    memory, the latter only if ``clusters`` are wanted. Once closed, each leaf has one leaf as its
    successor under every letter.
    """

    def __init__(
        self, cell: Dynamics, next_state: IntArray, samples: Samples, clusters: bool = False
    ) -> None:
        self.cell, self.next_state = cell, next_state
        self.samples, self.clusters = samples, clusters
        self.letters, self.known = next_state.shape[1], samples.history.shape[1]
        flat = next_state.ravel()
        self.into = [np.flatnonzero(flat == q).tolist() for q in range(len(next_state))]
        self.members: dict[Leaf, NDArray[np.intp]] = {}
        self.vectors: dict[Leaf, FloatArray] = {}
        self.tests: dict[Leaf, UnitThreshold] = {}
        self.inner: set[Leaf] = set()
        for q in np.unique(samples.states).tolist():
            self._add((q, (), ()), np.flatnonzero(samples.states == q))

    def _add(self, leaf: Leaf, members: NDArray[np.intp]) -> None:
        vectors = self.samples.hidden[members]
        if len(members) < FEW and leaf[1]:
            more = sample_after(self.cell, self.samples, self.letters, leaf[1], FEW)
            for test, side in leaf[2]:
                more = more[test.side(self.cell, more) == side]
            vectors = np.concatenate((vectors, more))
        if len(vectors):
            self.members[leaf], self.vectors[leaf] = members, vectors

    def split(self, leaf: Leaf) -> list[Leaf]:
        """Split a leaf by one more transition, or by a test if no more transitions are known.

        Returns:
            The parts; none if clusters are not wanted, or the memories are practically one.
        """
        state, word, clusters = leaf
        if len(word) == self.known:
            v = self.vectors[leaf]
            wide = self.clusters and half_width(v) > POINT
            return self.split_by(leaf, widest_gap(v)[0]) if wide else []
        members = self.members.pop(leaf)
        del self.vectors[leaf]
        self.inner.add(leaf)
        transition = self.samples.history[members, len(word)]
        before = self.into[word[-1] // self.letters if word else state]
        parts: list[Leaf] = [(state, (*word, m), clusters) for m in before]
        for part in parts:
            self._add(part, members[transition == part[1][-1]])
        return [part for part in parts if part in self.members]

    def split_by(self, leaf: Leaf, test: UnitThreshold) -> list[Leaf]:
        """Split a leaf by a test that some of its memories pass and some do not."""
        members, vectors = self.members.pop(leaf), self.vectors.pop(leaf)
        self.tests[leaf] = test
        above = test.side(self.cell, vectors)
        among = test.side(self.cell, self.samples.hidden[members])
        parts: list[Leaf] = [(*leaf[:2], (*leaf[2], (test, side))) for side in (False, True)]
        for part, chosen, own in zip(parts, (~above, above), (~among, among), strict=True):
            self.members[part], self.vectors[part] = members[own], vectors[chosen]
        return parts

    def refine(self, eps: float, limit: int) -> bool:
        """Split until every leaf's half-width is at most ``eps``; False beyond ``limit`` leaves."""
        queue = list(self.members)
        while queue:
            leaf = queue.pop()
            if half_width(self.vectors[leaf]) > eps:
                parts = self._split_wide(leaf, eps)
                if not parts or len(self.members) > limit:
                    return False
                queue.extend(parts)
        return True

    def _split_wide(self, leaf: Leaf, eps: float) -> list[Leaf]:
        if self.clusters and len(leaf[1]) >= MIN_TRANSITIONS:
            test, gap = widest_gap(self.vectors[leaf])
            if gap > MIN_GAP * eps:
                return self.split_by(leaf, test)
        return self.split(leaf)

    def successor(self, leaf: Leaf, letter: int) -> Leaf | UnitThreshold | None:
        """Return the leaf that a run is in after a letter, if that is determined.

        Returns:
            None where it depends on an earlier transition; where it depends on a cluster, the test,
            to be applied before the letter.
        """
        state = int(self.next_state[leaf[0], letter])
        word = (leaf[0] * self.letters + letter, *leaf[1])
        found: Leaf = (state, (), ())
        while found not in self.members:
            clusters = found[2]
            if found in self.tests:
                test = self.tests[found]
                ahead = test.after(letter)
                above = ahead.side(self.cell, self.vectors[leaf])
                if above.any() != above.all():
                    return ahead
                found = (state, found[1], (*clusters, (test, bool(above[0]))))
            elif len(found[1]) < len(word) and found in self.inner:
                found = (state, word[: len(found[1]) + 1], clusters)
            elif found in self.inner:
                return None
            else:
                self._discover(found, leaf, letter)
        return found

    def _discover(self, found: Leaf, leaf: Leaf, letter: int) -> None:
        """Add a leaf without samples, holding the images of another leaf under a letter."""
        v = self.vectors[leaf]
        self.members[found] = np.empty(0, np.intp)
        self.vectors[found] = self.cell.points(v, np.full(len(v), letter))

    def close(self, limit: int) -> bool:
        """Split leaves until every successor is determined; False beyond ``limit`` leaves."""
        todo = True
        while todo:
            todo = False
            for leaf in list(self.members):
                for letter in range(self.letters):
                    way = self.successor(leaf, letter)
                    if way is None or isinstance(way, UnitThreshold):
                        todo = True
                        parts = self.split(leaf) if way is None else self.split_by(leaf, way)
                        if not parts or len(self.members) > limit:
                            return False
                        break
        return True

    def table(self) -> tuple[list[Leaf], IntArray]:
        """Return the leaves of a closed partition, and the indices of their successors (R, A)."""
        leaves = sorted(self.members)
        index = {leaf: i for i, leaf in enumerate(leaves)}
        rows = [[index[self._next(x, a)] for a in range(self.letters)] for x in leaves]
        return leaves, np.array(rows, np.intp)

    def _next(self, leaf: Leaf, letter: int) -> Leaf:
        found = self.successor(leaf, letter)
        return leaf if found is None or isinstance(found, UnitThreshold) else found
