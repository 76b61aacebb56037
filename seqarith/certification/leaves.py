"""Adaptive contexts: the last moves, as few as keep the hidden vectors together.

A move is a letter with the state that it was read in, since the digit due, which a hidden vector
shows, depends on both. Contexts are the search's way to find regions, and no part of the
certificate.
"""

from typing import final

import numpy as np
from numpy.typing import NDArray

from seqarith.certification.enclosure import Dynamics
from seqarith.certification.program import FloatArray, IntArray
from seqarith.certification.sampling import Samples, arrivals

Leaf = tuple[int, tuple[int, ...]]  # state, last moves, the latest first
FEW = 40  # a leaf with fewer samples gets more by running others through its moves


@final
class Leaves:
    """Samples by state and last moves; a leaf's successor under each letter is one leaf."""

    def __init__(self, cell: Dynamics, next_state: IntArray, samples: Samples) -> None:
        self.cell, self.next_state, self.samples = cell, next_state, samples
        self.letters = next_state.shape[1]
        flat = next_state.ravel()
        self.into = [np.flatnonzero(flat == q).tolist() for q in range(len(next_state))]
        self.members: dict[Leaf, NDArray[np.intp]] = {}
        self.vectors: dict[Leaf, FloatArray] = {}
        for q in np.unique(samples.states).tolist():
            self._add((q, ()), np.flatnonzero(samples.states == q))

    def _add(self, leaf: Leaf, members: NDArray[np.intp]) -> None:
        vectors = self.samples.hidden[members]
        if len(members) < FEW and leaf[1]:
            more = arrivals(self.cell, self.samples, self.letters, leaf[1], FEW)
            vectors = np.concatenate((vectors, more))
        if len(vectors):
            self.members[leaf], self.vectors[leaf] = members, vectors

    def split(self, leaf: Leaf) -> list[Leaf]:
        """Part a leaf by the move before its moves; no parts where histories are too short."""
        state, word = leaf
        if len(word) == self.samples.history.shape[1]:
            return []
        members = self.members.pop(leaf)
        del self.vectors[leaf]
        move = self.samples.history[members, len(word)]
        parts = [
            (state, (*word, m)) for m in self.into[word[-1] // self.letters if word else state]
        ]
        for part in parts:
            self._add(part, members[move == part[1][-1]])
        return [part for part in parts if part in self.members]

    def refine(self, eps: float, limit: int) -> bool:
        """Split until every leaf's vectors lie within ``eps``; False beyond ``limit``."""
        queue = list(self.members)
        while queue:
            leaf = queue.pop()
            v = self.vectors[leaf]
            if (v.max(0) - v.min(0)).max() > 2 * eps:
                parts = self.split(leaf)
                if not parts or len(self.members) > limit:
                    return False
                queue.extend(parts)
        return True

    def successor(self, leaf: Leaf, letter: int) -> Leaf | None:
        """Find the leaf that a run is in after a letter; None where its moves do not decide."""
        state, word = (
            int(self.next_state[leaf[0], letter]),
            (leaf[0] * self.letters + letter, *leaf[1]),
        )
        return next(
            ((state, word[:n]) for n in range(len(word) + 1) if (state, word[:n]) in self.members),
            None,
        )

    def close(self, limit: int) -> bool:
        """Split leaves until every successor is determined; False beyond ``limit``."""
        todo = list(self.members)
        while todo:
            todo = [
                x
                for x in self.members
                if any(self.successor(x, a) is None for a in range(self.letters))
            ]
            for leaf in todo:
                if not self.split(leaf) or len(self.members) > limit:
                    return False
        return True

    def table(self) -> tuple[list[Leaf], IntArray]:
        """List the leaves, which must be closed, and their successors' indices (R, A)."""
        leaves = sorted(self.members)
        index = {leaf: i for i, leaf in enumerate(leaves)}
        rows = [[index[self.successor(x, a) or x] for a in range(self.letters)] for x in leaves]
        return leaves, np.array(rows, np.intp)
