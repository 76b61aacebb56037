"""Re-check a certificate, trusting only IEEE-754 arithmetic and the arrays that are given.

The files of this folder, and the record of a step in ``cells/steps.py``, are all that must be
believed; they import nothing from the search, and name no cell. What they accept is true of the
floating-point program (``docs/certificates.md``, L1..L11), on the assumption that the platform's
tanh errs by at most ``tanh_ulps`` epsilons.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from seqarith.cells.steps import LETTER_ONLY, reads, widths
from seqarith.certification.kernel.certificate import Certificate
from seqarith.certification.kernel.forms import Forms
from seqarith.certification.kernel.outward import GAMMA, UP, F, SetReadout, Sets
from seqarith.certification.kernel.program import Program
from seqarith.certification.kernel.step import SetStep
from seqarith.certification.kernel.wellformed import Refusal, require, validate

CHUNK = 128  # branches stepped at once, at most: what fits the cache
GROUP = 4  # letters read at once
FEW = 40_000  # numbers of sets that are small
LETTER = 256  # bytes for each number that depends on the letter alone
HEADERS = 600  # bytes of the arrays of `_Branches` beside their numbers

# What reading a letter costs beside products, in products of 0.6 ns: 0.25 ms for a batch of
# branches, 1 us for each branch, 3 ns for each number of the step's values (measured on cells of 3
# to 64 units).
BATCH_WORK, BRANCH_WORK, NUMBER_WORK = 400_000, 2_000, 5

CheckProgress = Callable[[float, str], None]
"""Called with the share of the work budget that is spent, and with what is under way."""


@final
@dataclass(frozen=True)
class Budget:
    """What a check may cost: about a minute by default, however small the network; memory.

    Attributes:
        work: In products; every step counts for what it costs beside them as well.
        memory: Bytes held at once.
    """

    work: float = 1e11
    memory: int = 2**30


DEFAULT = Budget()


@final
@dataclass(frozen=True)
class Accepted:
    """The claim holds.

    Attributes:
        margin: The smallest margin found.
        steps: Sets that were stepped under a letter.
        depth: The longest way back into a region, in letters.
        claim: What was accepted, in words; whoever knows the task says it in the task's words.
    """

    margin: float
    steps: int
    depth: int
    claim: str = "The program emits the machine's symbol after every letter of every word."

    def __str__(self) -> str:
        return f"Accepted. {self.claim}"


@final
@dataclass(frozen=True)
class Rejected:
    """The claim is not established; it may still be true.

    Attributes:
        reason: The first obligation that failed.
    """

    reason: str


def check(
    program: Program,
    certificate: Certificate,
    budget: Budget = DEFAULT,
    progress: CheckProgress | None = None,
) -> Accepted | Rejected:
    """Decide whether a certificate proves a program right on every word of every length.

    Nothing is raised, whatever is given as program and certificate.

    Args:
        program: What is claimed to be right.
        certificate: Why.
        budget: Where a check that costs more than this gives up, and rejects.
        progress: Told how far it is.
    """
    try:
        validate(program, certificate, budget.memory)
        # A nan fails every comparison below, and so is never accepted.
        with np.errstate(all="ignore"):
            return _Checker(program, certificate, budget).run(progress)
    except Refusal as refusal:
        return Rejected(str(refusal))


class _Branches(NamedTuple):
    """N sets (c, g, e as in `Sets`) and the region that each is on its way to, shape (N,)."""

    to: NDArray[Any]
    c: F
    g: F
    e: F

    def held(self) -> int:
        """Return the bytes that they take."""
        return HEADERS + self.to.nbytes + self.c.nbytes + self.g.nbytes + self.e.nbytes


@final
class _Checker:
    """The induction of L7: from every region and from the start, until each branch has landed."""

    def __init__(self, p: Program, c: Certificate, budget: Budget) -> None:
        self.program, self.certificate, self.budget = p, c, budget
        unit = float(np.finfo(p.start.dtype).eps) / 2
        shapes = {name: array.shape for name, array in p.arrays.items()}
        forms = Forms(dict(p.arrays), float(c.tanh_ulps), unit)
        self.width = len(p.start)
        # Rows of symbols of a value, and numbers of all values of a step, in a row.
        numbers = widths(p.step, shapes, p.inputs.shape[1], self.width)
        self.rows, self.numbers = c.order + 2 * self.width, sum(numbers)
        held = 16 * self.rows * self.numbers
        require(held <= budget.memory, "the values of a step exceed the memory budget")
        kinds = zip(numbers, reads(p.step), strict=True)
        held = LETTER * len(p.inputs) * sum(n for n, kind in kinds if kind == LETTER_ONLY)
        require(held <= budget.memory, "the values of all letters exceed the memory budget")
        self.cell = SetStep(p.step, p.inputs.astype(np.float64), forms)
        self.readout = SetReadout(p, unit)
        self.centres, self.shapes = c.centres.astype(np.float64), c.shapes.astype(np.float64)
        if self.shapes.ndim == 3:
            self._invert()

    def run(self, progress: CheckProgress | None) -> Accepted:
        """Follow all branches a letter at a time; raise `Refusal` where an obligation fails."""
        c, letters = self.certificate, len(self.program.inputs)
        follows = self.program.next_state[c.states] == c.states[c.successors]
        require(np.all(follows), "a region's successor belongs to another machine state")
        require(c.states[c.start] == 0, "the start region belongs to another state than the first")
        live, margin, steps, work = self._roots(), np.inf, 0, 0.0
        for depth in range(1, c.depth + 1):
            branches, held = len(live.to), live.held()
            steps, work = steps + letters * branches, work + letters * self._work(branches)
            require(work <= self.budget.work, "the check exceeds the work budget")
            found: list[_Branches] = []
            for batch in self._chunks(live):
                if progress is not None:
                    progress(work / self.budget.work, f"{branches:,} sets, letter {depth:,}")
                known = len(found)
                margin = min(margin, self._step(batch, depth, found))
                # Twice, since they are joined below.
                held += 2 * sum(part.held() for part in found[known:])
                require(held <= self.budget.memory, "the branches exceed the memory budget")
            if not found:
                return Accepted(margin, steps, depth)
            live = _Branches(*(np.concatenate(part) for part in zip(*found, strict=True)))
        raise Refusal(f"{len(live.to)} branches have landed nowhere after {c.depth} letters")

    def _step(self, batch: _Branches, depth: int, found: list[_Branches]) -> float:
        """Read every letter; return the smallest margin, append the branches that go on."""
        c, margin = self.certificate, np.inf
        spread = self.cell.spread(batch.c, batch.g, batch.e)
        letters = len(self.program.inputs)
        # Large sets are stepped letter by letter: together they would not fit the cache.
        numbers = len(batch.to) * (batch.g.shape[1] + self.width) * self.width
        at_once = max(1, min(GROUP, FEW // numbers))
        groups = (range(a, min(a + at_once, letters)) for a in range(0, letters, at_once))
        for group in groups:
            for a, sets in zip(group, self.cell.steps(spread, group), strict=True):
                least = self.readout.margin(sets, self.program.output[c.states[batch.to], a])
                claimed = f"margin {least:.3g} after {depth} letters, {c.margin:.3g} is claimed"
                require(least >= c.margin, claimed)
                margin = min(margin, least)
                found += self._go_on(sets, c.successors[batch.to, a])
        return margin

    def _roots(self) -> _Branches:
        """Begin at every region and at the program's start, a point."""
        c, (regions, width) = self.certificate, self.centres.shape
        to = np.append(np.arange(regions), c.start)
        centres = np.append(self.centres, self.program.start[None].astype(np.float64), 0)
        body = np.append(self.shapes, np.zeros_like(self.shapes[:1]), 0)
        if body.ndim == 2:
            return _Branches(to, centres, np.zeros((regions + 1, 0, width)), body)
        return _Branches(to, centres, body, np.zeros((regions + 1, width)))

    def _go_on(self, sets: Sets, to: NDArray[Any]) -> list[_Branches]:
        """Keep the sets that do not lie in ``to``, their smallest generators joined into a box."""
        on = ~self._lands(sets, to)
        if not on.any():
            return []
        g, e, order = sets.g[on], sets.e[on], self.certificate.order
        if g.shape[1] > order:
            rank = np.argsort(-np.abs(g).sum(2), 1, kind="stable")[:, :, None]
            e = (e + np.abs(np.take_along_axis(g, rank[:, order:], 1)).sum(1)) * UP
            g = np.take_along_axis(g, rank[:, :order], 1)
        return [_Branches(to[on], sets.c[on], g, e)]

    def _invert(self) -> None:
        """Find inverses and, since they are not trusted, how far each is from one (L5)."""
        try:
            self.inverse = np.linalg.inv(self.shapes)
        except np.linalg.LinAlgError:
            raise Refusal("a region's matrix is singular") from None
        off = np.abs(np.eye(self.shapes.shape[1]) - self.shapes @ self.inverse)
        off += 2 * GAMMA * (np.abs(self.shapes) @ np.abs(self.inverse) + 1)
        self.room = 1 - off.sum(1).max(1) * UP - 2.0**-50
        require(np.all(self.room > 0.5), "a region's matrix is too ill-conditioned")

    def _lands(self, sets: Sets, to: NDArray[Any]) -> NDArray[np.bool_]:
        """Say which sets surely lie in the regions ``to`` (L5)."""
        centre, shape = self.centres[to], self.shapes[to]
        # Nothing lands that is not a set of numbers: nan and infinity spread through these sums.
        known = np.isfinite(sets.c + sets.g.sum(1) + sets.e + sets.low + sets.high).all(1)
        if shape.ndim == 2:
            room = shape * (1 - GAMMA)
            fits = (centre - sets.low <= room) & (sets.high - centre <= room)
            within: NDArray[np.bool_] = fits.all(1) & known
            return within
        offset, inverse = sets.c - centre, self.inverse[to]
        at = np.abs(offset[:, None] @ inverse)[:, 0]
        inside: NDArray[np.bool_] = known & (at.max(1) <= self.room[to])  # necessary, and cheap
        n = np.flatnonzero(inside)
        g, e, offset, inverse = sets.g[n], sets.e[n], offset[n], inverse[n]
        size = np.abs(inverse)
        far = at[n] + np.abs(g @ inverse).sum(1) + (e[:, None] @ size)[:, 0]
        pad = 4 * GAMMA * ((np.abs(offset) + np.abs(g).sum(1) + e)[:, None] @ size)[:, 0]
        inside[n] = (far + pad).max(1) <= self.room[to[n]]
        return inside

    def _work(self, branches: int) -> float:
        """Return what it costs to read one letter in so many branches, in products."""
        batches = -(-branches // self._chunk())
        each = self.rows * (self.cell.products + NUMBER_WORK * self.numbers) + BRANCH_WORK
        return batches * BATCH_WORK + branches * each

    def _chunk(self) -> int:
        return max(1, min(CHUNK, self.budget.memory // (16 * self.rows * self.numbers)))

    def _chunks(self, live: _Branches) -> Iterator[_Branches]:
        """Part branches into batches that fit the cache, and the memory."""
        size = self._chunk()
        for i in range(0, len(live.to), size):
            yield _Branches(*(part[i : i + size] for part in live))
