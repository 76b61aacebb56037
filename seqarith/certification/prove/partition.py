"""Adaptive contexts: the last moves, as few as keep the hidden vectors together, and modes.

A move is a letter with the state that it was read in, since the digit due, which a hidden vector
shows, depends on both. A network may remember more than its machine, for ever: vectors that last
moves do not bring together are parted into modes. Contexts and modes are the search's way to find
regions, and no part of the certificate.
"""

from typing import final

import numpy as np
from numpy.typing import NDArray

from seqarith.certification.kernel.program import FloatArray, IntArray
from seqarith.certification.prove.clusters import Test, half_width, widest_gap
from seqarith.certification.prove.dynamics import Dynamics
from seqarith.certification.prove.reachable import Samples, arrivals

Leaf = tuple[int, tuple[int, ...], tuple[tuple[Test, bool], ...]]
"""State, last moves (the latest first), and the tests of modes with the sides on which it lies."""

FEW = 40  # a leaf with fewer samples gets more by running others through its moves
POINT = 0.01  # half-width of vectors that are not parted any more
SETTLED = 1  # moves after which vectors that stay apart are taken for modes
APART = 0.5  # a gap between modes, at least, in multiples of the half-width aimed at


@final
class Partition:
    """Samples by state, last moves and modes; a leaf's successor under each letter is one leaf.

    The leaves are those of a tree: an inner node is parted by one more move, or by a test, the
    latter only if ``modes`` are looked for.
    """

    def __init__(
        self, cell: Dynamics, next_state: IntArray, samples: Samples, modes: bool = False
    ) -> None:
        self.cell, self.next_state, self.samples, self.modes = cell, next_state, samples, modes
        self.letters, self.known = next_state.shape[1], samples.history.shape[1]
        flat = next_state.ravel()
        self.into = [np.flatnonzero(flat == q).tolist() for q in range(len(next_state))]
        self.members: dict[Leaf, NDArray[np.intp]] = {}
        self.vectors: dict[Leaf, FloatArray] = {}
        self.tests: dict[Leaf, Test] = {}
        self.parted: set[Leaf] = set()
        for q in np.unique(samples.states).tolist():
            self._add((q, (), ()), np.flatnonzero(samples.states == q))

    def _add(self, leaf: Leaf, members: NDArray[np.intp]) -> None:
        vectors = self.samples.hidden[members]
        if len(members) < FEW and leaf[1]:
            more = arrivals(self.cell, self.samples, self.letters, leaf[1], FEW)
            for test, side in leaf[2]:
                more = more[test.side(self.cell, more) == side]
            vectors = np.concatenate((vectors, more))
        if len(vectors):
            self.members[leaf], self.vectors[leaf] = members, vectors

    def split(self, leaf: Leaf) -> list[Leaf]:
        """Part a leaf by the move before its moves, by a test where no more moves are known.

        No parts where there are to be no modes, or the vectors are as good as one.
        """
        state, word, modes = leaf
        if len(word) == self.known:
            v = self.vectors[leaf]
            parted = self.modes and half_width(v) > POINT
            return self._part(leaf, widest_gap(v)[0]) if parted else []
        members = self.members.pop(leaf)
        del self.vectors[leaf]
        self.parted.add(leaf)
        move = self.samples.history[members, len(word)]
        before = self.into[word[-1] // self.letters if word else state]
        parts: list[Leaf] = [(state, (*word, m), modes) for m in before]
        for part in parts:
            self._add(part, members[move == part[1][-1]])
        return [part for part in parts if part in self.members]

    def _part(self, leaf: Leaf, test: Test) -> list[Leaf]:
        """Part a leaf by a test that some of its vectors pass, and some do not."""
        members, vectors = self.members.pop(leaf), self.vectors.pop(leaf)
        self.tests[leaf] = test
        above = test.side(self.cell, vectors)
        among = test.side(self.cell, self.samples.hidden[members])
        parts: list[Leaf] = [(*leaf[:2], (*leaf[2], (test, side))) for side in (False, True)]
        for part, chosen, own in zip(parts, (~above, above), (~among, among), strict=True):
            self.members[part], self.vectors[part] = members[own], vectors[chosen]
        return parts

    def refine(self, eps: float, limit: int) -> bool:
        """Split until every leaf's vectors lie within ``eps``; False beyond ``limit``."""
        queue = list(self.members)
        while queue:
            leaf = queue.pop()
            if half_width(self.vectors[leaf]) > eps:
                parts = self._refined(leaf, eps)
                if not parts or len(self.members) > limit:
                    return False
                queue.extend(parts)
        return True

    def _refined(self, leaf: Leaf, eps: float) -> list[Leaf]:
        if self.modes and len(leaf[1]) >= SETTLED:
            test, gap = widest_gap(self.vectors[leaf])
            if gap > APART * eps:
                return self._part(leaf, test)
        return self.split(leaf)

    def successor(self, leaf: Leaf, letter: int) -> Leaf | Test | None:
        """Find the leaf that a run is in after a letter.

        None where its moves do not decide; a test, made before the letter, where modes do not.
        """
        state = int(self.next_state[leaf[0], letter])
        word = (leaf[0] * self.letters + letter, *leaf[1])
        found: Leaf = (state, (), ())
        while found not in self.members:
            modes = found[2]
            if found in self.tests:
                test = self.tests[found]
                ahead = test.after(letter)
                above = ahead.side(self.cell, self.vectors[leaf])
                if above.any() != above.all():
                    return ahead
                found = (state, found[1], (*modes, (test, bool(above[0]))))
            elif len(found[1]) < len(word) and found in self.parted:
                found = (state, word[: len(found[1]) + 1], modes)
            elif found in self.parted:
                return None
            else:
                self._discover(found, leaf, letter)
        return found

    def _discover(self, found: Leaf, leaf: Leaf, letter: int) -> None:
        """Make a leaf that no sample is in of the images that come into it."""
        v = self.vectors[leaf]
        self.members[found] = np.empty(0, np.intp)
        self.vectors[found] = self.cell.points(v, np.full(len(v), letter))

    def close(self, limit: int) -> bool:
        """Split leaves until every successor is determined; False beyond ``limit``."""
        todo = True
        while todo:
            todo = False
            for leaf in list(self.members):
                for letter in range(self.letters):
                    way = self.successor(leaf, letter)
                    if way is None or isinstance(way, Test):
                        todo = True
                        if not self._opened(leaf, way) or len(self.members) > limit:
                            return False
                        break
        return True

    def _opened(self, leaf: Leaf, way: Test | None) -> list[Leaf]:
        """Split a leaf whose way is open: by a move, or by the modes of its images."""
        return self.split(leaf) if way is None else self._part(leaf, way)

    def table(self) -> tuple[list[Leaf], IntArray]:
        """List the leaves, which must be closed, and their successors' indices (R, A)."""
        leaves = sorted(self.members)
        index = {leaf: i for i, leaf in enumerate(leaves)}
        rows = [[index[self._next(x, a)] for a in range(self.letters)] for x in leaves]
        return leaves, np.array(rows, np.intp)

    def _next(self, leaf: Leaf, letter: int) -> Leaf:
        found = self.successor(leaf, letter)
        return leaf if found is None or isinstance(found, Test) else found
