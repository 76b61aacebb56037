"""The cheap prover: one box for each machine state with the letters that were read last.

A try takes a few milliseconds, so training can afford one every few steps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from seqarith.certification.kernel.certificate import Certificate
from seqarith.certification.kernel.check import DEFAULT, Accepted, Budget, check
from seqarith.certification.kernel.program import FloatArray, IntArray, Program
from seqarith.certification.kernel.wellformed import MAX_WIDTH, MIN_TANH_ULPS
from seqarith.certification.prove.dynamics import Dynamics, MarginBounds

LETTERS, FEW_LETTERS = 4, 3
"""Boxes are split by fewer recent letters than this: with time to spare, and with little time."""

ROUNDS = 40
WIDENING = 0.5  # a box that grows by x is widened by this share of x, so that the rounds end
LEAST_WIDENING = 1e-6  # the same for growth near 0, far below the width of any useful box
MAX_BOXES = 6000
MAX_LOGITS_SIZE = 2e7  # numbers in the readout of all boxes under all letters
MATRICES = 8  # matrices that the checker counts per box: it would refuse more than fit its memory


@final
@dataclass(frozen=True)
class Proof:
    """A certificate that the checker has accepted.

    Attributes:
        certificate: The certificate.
        method: How it was found.
        accepted: The checker's verdict.
    """

    certificate: Certificate
    method: str
    accepted: Accepted


def prove_by_boxes(program: Program, letters: int = LETTERS) -> Proof | None:
    """Prove a program by boxes, or return None.

    The finest boxes are tried first: while a network is learning there is usually no proof, and
    where the finest boxes fail, coarser ones almost never succeed. Where they succeed, coarser ones
    may succeed too, with a smaller certificate.

    Args:
        program: The program.
        letters: Boxes are split by fewer recent letters than this.
    """
    if max(program.memory, program.letters) > MAX_WIDTH:
        return None
    cell = Dynamics(program)
    affordable = [k for k in range(letters) if is_affordable(program, k)]
    finest = find_boxes(program, affordable[-1], cell) if affordable else None
    if finest is None:
        return None
    for k in affordable[:-1]:
        fewer = find_boxes(program, k, cell)
        found = fewer and confirm(program, fewer, f"boxes k={k}")
        if found:
            return found
    return confirm(program, finest, f"boxes k={affordable[-1]}")


def confirm(
    program: Program, certificate: Certificate, method: str, budget: Budget = DEFAULT
) -> Proof | None:
    """Return the proof if the checker accepts, claiming the depth and slightly less margin.

    The margin that the checker finds depends, in its last bits, on the order in which a platform
    adds up sums. The 2^-20 below leaves room for that.
    """
    verdict = check(program, certificate, budget)
    if not isinstance(verdict, Accepted):
        return None
    claimed = verdict.margin * (1 - 2.0**-20)
    return Proof(replace(certificate, margin=claimed, depth=verdict.depth), method, verdict)


@final
@dataclass(frozen=True)
class Contexts:
    """The machine states and recent letters that boxes are made for, one box each.

    Args:
        states: Machine state of each box, shape (R,).
        successors: Box that each letter leads to, shape (R, A).
        seeds: A memory that a run really reaches there, shape (R, M).
    """

    states: IntArray
    successors: IntArray
    seeds: FloatArray


def list_contexts(program: Program, cell: Dynamics, k: int) -> Contexts:
    """List the words shorter than k, then every pair of a state and the k letters read last.

    A run passes through the short words first, which form a tree, so the start needs no special
    case.
    """
    letters = program.letters
    reached, first = _reach(program, cell)
    index = {int(q): i for i, q in enumerate(reached)}
    states, seeds, successors = [np.zeros(1, np.intp)], [program.start[None].astype(float)], []
    if k == 0:
        states, seeds = [reached], [first]
    for level in range(k):
        h, q = _grow(program, cell, seeds[-1], states[-1])
        offset = sum(len(s) for s in states)
        if level == k - 1:  # from the words of k letters on, the pairs replace the tree
            h, q = first, reached
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
    # A word of k letters is a number to base A: a new letter shifts the first one out.
    word, a = np.arange(letters**k)[:, None], np.arange(letters)
    first_letter = word // letters ** (k - 1) if k else a[None]
    later = (word * letters + a) % letters**k
    after = slot[program.next_state[reached[:, None, None], first_letter]]
    successors.append(base + (after * letters**k + later).reshape(-1, letters))
    return Contexts(np.concatenate(states), np.concatenate(successors), np.concatenate(seeds))


def _grow(
    program: Program, cell: Dynamics, h: FloatArray, q: IntArray
) -> tuple[FloatArray, IntArray]:
    """Step memories and states under every letter; the letter is the last digit of the index."""
    letters = np.tile(np.arange(program.letters), len(q))
    h, q = np.repeat(h, program.letters, 0), np.repeat(q, program.letters)
    return cell.points(h, letters), program.next_state[q, letters]


def _reach(program: Program, cell: Dynamics) -> tuple[IntArray, FloatArray]:
    """Return the reachable states, ascending, and a memory that a run has in each."""
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
    boxes: int = len(program.next_state) * program.letters**k
    size = boxes * program.letters * program.memory * len(program.readout_bias)
    stored = 8 * MATRICES * boxes * program.memory**2
    return boxes <= MAX_BOXES and size <= MAX_LOGITS_SIZE and stored <= DEFAULT.memory


def find_boxes(program: Program, k: int, cell: Dynamics | None = None) -> Certificate | None:
    """Return boxes, one per context, that every letter maps into boxes, with correct digits.

    This is abstract interpretation by intervals: boxes start as single memories and grow until they
    hold the images of their predecessors, with a little widening. A wrong digit ends the attempt at
    once, because boxes only grow. The certificate is not checked yet.
    """
    if not is_affordable(program, k):
        return None
    cell = cell or Dynamics(program)
    split = list_contexts(program, cell, k)
    margins = MarginBounds(program).of_boxes(program.output[split.states])
    lo = hi = split.seeds
    # Group the images by the box that they lead to, so that `reduceat` can join each group.
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
    found: FloatArray = (growth > 0) * ((1 + WIDENING) * growth + LEAST_WIDENING)
    return found


def _join(
    hull: np.ufunc, bound: FloatArray, order: IntArray, firsts: NDArray[np.intp]
) -> FloatArray:
    joined: FloatArray = hull.reduceat(bound.reshape(-1, bound.shape[-1])[order], firsts, 0)
    return joined


def _certificate(
    p: Program, split: Contexts, lo: FloatArray, hi: FloatArray, margin: float
) -> Certificate:
    centre = (lo + hi) * 0.5
    return Certificate(
        digest=p.digest(),
        dtype=p.dtype,
        tanh_ulps=MIN_TANH_ULPS,
        states=split.states,
        successors=split.successors,
        centres=centre,
        shapes=(hi - lo) * 0.5,
        start=int(np.flatnonzero(split.states == 0)[0]),
        depth=1,
        order=0,
        margin=margin * (1 - 1e-6),  # `confirm` replaces it by the margin that the checker finds
    )
