"""The cheap prover: one box for each machine state with the letters that were read last."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from seqarith.certification.kernel.certificate import Certificate
from seqarith.certification.kernel.check import DEFAULT
from seqarith.certification.kernel.program import FloatArray, IntArray, Program
from seqarith.certification.kernel.wellformed import MIN_TANH_ULPS
from seqarith.certification.prove.dynamics import Dynamics, Readout

ROUNDS = 40
WIDENING = 0.5  # a box that grows by x is widened by this much of x, so that the sequence ends
NODES = 6000
SIZE = 2e7  # numbers in the readout of all boxes under all letters
MATRICES = 8  # that the checker counts for each box: where it would refuse, none are sought


@final
@dataclass(frozen=True)
class Contexts:
    """What boxes are split by.

    Args:
        states: Shape (R,).
        successors: Shape (R, A).
        seeds: A hidden vector of each, shape (R, H).
    """

    states: IntArray
    successors: IntArray
    seeds: FloatArray


def contexts(program: Program, cell: Dynamics, k: int) -> Contexts:
    """List the words shorter than k; then (state, k letters) for the rest of every run.

    The first part is a tree, so that the start needs no special case; each node comes with a vector
    that a run really reaches there.
    """
    letters = program.letters
    states, seeds, successors = [np.zeros(1, np.intp)], [program.start[None].astype(float)], []
    before = np.zeros(1, np.intp)
    if k == 0:
        before, first = _reach(program, cell)
        states, seeds = [before], [first]
    index = {int(q): i for i, q in enumerate(before)}
    for level in range(k):
        h, q = _grow(program, cell, seeds[-1], states[-1])
        offset = sum(len(s) for s in states)
        if level == k - 1:
            before, first = _reach(program, cell)
            index = {int(s): i for i, s in enumerate(before)}
            h, q = first, before
            for _ in range(k):
                h, q = _grow(program, cell, h, q)
            offset += index[0] * letters**k
        successors.append(
            offset + np.arange(letters ** (level + 1), dtype=np.intp).reshape(-1, letters)
        )
        states.append(q)
        seeds.append(h)
    base = sum(len(s) for s in states) - len(states[-1])
    slot = np.array([index.get(s, 0) for s in range(len(program.next_state))], np.intp)
    word, a = np.arange(letters**k)[:, None], np.arange(letters)
    first_letter = word // letters ** (k - 1) if k else a[None]
    later = (word * letters + a) % letters**k
    after = slot[program.next_state[before[:, None, None], first_letter]]
    successors.append(base + (after * letters**k + later).reshape(-1, letters))
    return Contexts(np.concatenate(states), np.concatenate(successors), np.concatenate(seeds))


def _grow(
    program: Program, cell: Dynamics, h: FloatArray, q: IntArray
) -> tuple[FloatArray, IntArray]:
    """Step vectors and their states under every letter, the last digit of the index."""
    letters = np.tile(np.arange(program.letters), len(q))
    h, q = np.repeat(h, program.letters, 0), np.repeat(q, program.letters)
    return cell.points(h, letters), program.next_state[q, letters]


def _reach(program: Program, cell: Dynamics) -> tuple[IntArray, FloatArray]:
    """Give the reachable states, ascending, and a hidden vector that a run has in each."""
    found = {0: program.start.astype(float)}
    queue = [0]
    for q in queue:
        for a, to in enumerate(program.next_state[q].tolist()):
            if to not in found:
                found[to] = cell.points(found[q][None], np.array([a]))[0]
                queue.append(to)
    order = sorted(found)
    return np.array(order, np.intp), np.stack([found[q] for q in order])


def is_affordable(program: Program, k: int) -> bool:
    """Return whether boxes split by k letters are few enough to be sought."""
    nodes: int = len(program.next_state) * program.letters**k
    size = nodes * program.letters * program.memory * len(program.readout_bias)
    stored = 8 * MATRICES * nodes * program.memory**2
    return nodes <= NODES and size <= SIZE and stored <= DEFAULT.memory


def prove_boxes(program: Program, k: int, cell: Dynamics | None = None) -> Certificate | None:
    """Seek boxes, one a context, that are closed under every letter and right all over.

    The least fixpoint is approached from below: from one real hidden vector a context, boxes grow
    to hold the images of their predecessors, with a little widening. A wrong digit ends the attempt
    at once, since boxes only grow.
    """
    if not is_affordable(program, k):
        return None
    cell = cell or Dynamics(program)
    split = contexts(program, cell, k)
    margins = Readout(program).of_boxes(program.output[split.states])
    lo = hi = split.seeds
    into = split.successors.ravel()
    order = np.argsort(into, kind="stable")
    targets, firsts = np.unique(into[order], return_index=True)
    for _ in range(ROUNDS):
        low, high = cell.boxes(lo, hi)
        margin = float(margins(low, high).min())
        if not margin > 0:
            return None
        fallen = lo[targets] - _join(np.minimum, low, order, firsts)
        risen = _join(np.maximum, high, order, firsts) - hi[targets]
        if max(fallen.max(), risen.max()) <= 0:
            return _certificate(program, split, lo, hi, margin)
        lo, hi = lo.copy(), hi.copy()
        lo[targets] -= _widened(fallen)
        hi[targets] += _widened(risen)
    return None


def _widened(growth: FloatArray) -> FloatArray:
    found: FloatArray = (growth > 0) * ((1 + WIDENING) * growth + 1e-6)
    return found


def _join(
    hull: np.ufunc, bound: FloatArray, order: IntArray, firsts: NDArray[np.intp]
) -> FloatArray:
    joined: FloatArray = hull.reduceat(bound.reshape(-1, bound.shape[-1])[order], firsts, 0)
    return joined


def _certificate(
    p: Program, nodes: Contexts, lo: FloatArray, hi: FloatArray, margin: float
) -> Certificate:
    centre = (lo + hi) * 0.5
    return Certificate(
        digest=p.digest(),
        dtype=p.dtype,
        tanh_ulps=MIN_TANH_ULPS,
        states=nodes.states,
        successors=nodes.successors,
        centres=centre,
        shapes=(hi - lo) * 0.5,
        start=int(np.flatnonzero(nodes.states == 0)[0]),
        depth=1,
        order=0,
        margin=margin * (1 - 1e-6),
    )
