"""Re-check a certificate in ball arithmetic: nothing that NumPy computes is trusted.

It repeats what ``check`` does, without ``outward``: the formulas, the bounds of the program's
rounding and tanh are its own. NumPy only holds the arrays. Needs the extra ``exact``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, final

from flint import arb, arb_mat, ctx

from seqarith.cells.steps import LETTER_ONLY, MEMORY_ONLY, reads
from seqarith.certification.exact.balls import (
    ZERO,
    Format,
    Row,
    absolute,
    column,
    floats,
    size,
    symbols,
)
from seqarith.certification.exact.readout import BallReadout
from seqarith.certification.exact.step import BallSet, BallStep
from seqarith.certification.exact.validation import MAX_MAGNITUDE, read_array, read_program
from seqarith.certification.kernel.certificate import Certificate
from seqarith.certification.kernel.check import DEFAULT, Accepted, Budget, CheckProgress, Rejected
from seqarith.certification.kernel.program import Program
from seqarith.certification.kernel.wellformed import Refusal, require, validate

BITS = 128  # of the middles of balls; more only makes them smaller
BALL = 128  # bytes of a ball, about
# What a number that a step computes costs, and each of its symbols, in products of 60 ns; a product
# inside a matrix product costs a third of one (measured on cells of 6 to 64 units).
NUMBER_WORK, SYMBOL_WORK, MATRIX_WORK = 80, 3, 1 / 3
FIELDS = 9  # of a sum, beside its symbols


def check_exact(
    program: Program,
    certificate: Certificate,
    budget: Budget = DEFAULT,
    progress: CheckProgress | None = None,
) -> Accepted | Rejected:
    """Decide as `check` does, about a hundred times more slowly: in two hours at most by default.

    Args:
        program: What is claimed to be right.
        certificate: Why.
        budget: Where a check that costs more than this gives up, and rejects.
        progress: Told how far it is.
    """
    try:
        # What follows reads everything again: this refuses early, and in better words.
        validate(program, certificate, budget.memory)
        with ctx.workprec(BITS):
            return _Checker(program, certificate, budget).run(progress)
    except Refusal as refusal:
        return Rejected(str(refusal))
    except (ArithmeticError, ValueError) as error:
        return Rejected(f"ball arithmetic came to no result ({error})")


class _Branch(NamedTuple):
    """A set, the region that it is on its way to, and how many letters it has read.

    Its centre c and the half-widths e of its box have shape (M,), its symbols g (M, G).
    """

    to: int
    c: Row
    g: list[Row]
    e: Row
    depth: int


class _Inverse(NamedTuple):
    """The inverse of a region's matrix and its absolute values, both transposed."""

    matrix: arb_mat
    sizes: arb_mat


@final
@dataclass(frozen=True)
class _Cost:
    """What a step computes for one letter; what is shared by all letters, by their number less.

    Attributes:
        tables: Numbers that depend on a letter alone, for all letters.
        numbers: All others that are held at once.
        each: Numbers computed for one letter.
        products: Weights that they are multiplied by, the readout's and a region's too.
    """

    tables: int
    numbers: int
    each: float
    products: float

    @staticmethod
    def of(p: Program, found: list[int]) -> _Cost:
        """Count by the widths of all values."""
        letters, width, tables, numbers = len(p.inputs), len(p.start), 0, 0
        each, products = 0.0, float(width * (width + len(p.readout_bias)))
        for operation, kind, wide in zip(p.step, reads(p.step)[2:], found[2:], strict=True):
            if kind == LETTER_ONLY:
                tables += letters * wide
                continue
            share = 1 / letters if kind == MEMORY_ONLY else 1.0
            numbers, each = numbers + wide, each + share * wide
            if operation[0] == "linear":
                products += share * wide * found[operation[1]]
        return _Cost(tables, numbers + width, each + width, products)

    def work(self, count: int) -> float:
        """Return what a step costs with so many symbols, in products."""
        symbolic = self.each * SYMBOL_WORK + self.products * MATRIX_WORK
        return self.each * NUMBER_WORK + symbolic * count

    def memory(self, count: int) -> int:
        """Return the bytes that it takes with so many symbols, at most."""
        return BALL * (FIELDS * self.tables + (FIELDS + count) * self.numbers)


@final
class _Checker:
    """The induction of L7: from every region and from the start, until each branch has landed."""

    def __init__(self, p: Program, c: Certificate, budget: Budget) -> None:
        found = read_program(p, c.dtype)
        regions, width = len(c.states), len(p.start)
        square = [width] * (c.shapes.ndim - 1)
        self.states = read_array(c.states, int, [regions], 0, len(p.next_state) - 1)
        self.successors = read_array(c.successors, int, [regions, len(p.inputs)], 0, regions - 1)
        self.centres = floats(
            read_array(c.centres, float, [regions, width], -MAX_MAGNITUDE, MAX_MAGNITUDE)
        )
        least = 0.0 if len(square) == 1 else -MAX_MAGNITUDE
        self.shapes = floats(read_array(c.shapes, float, [regions, *square], least, MAX_MAGNITUDE))
        self.claims, self.budget, self.width = c, budget, width
        self.next_state, self.output = p.next_state.tolist(), p.output.tolist()
        form = Format(c.dtype, c.tanh_ulps)
        self.boxes = len(square) == 1
        cost = _Cost.of(p, found)
        self.each = cost.work(c.order + width)
        require(cost.memory(c.order + width) <= budget.memory, "a step exceeds the memory budget")
        self.step, self.readout = BallStep(p, form), BallReadout(p, form)
        self.start: Row = floats(p.start.tolist())
        self.inverses = [] if self.boxes else [_inverse(m) for m in self.shapes]
        self.margin, self.steps, self.depth = arb.pos_inf(), 0, 0

    def run(self, progress: CheckProgress | None) -> Accepted:
        """Follow all branches; raise `Refusal` where an obligation fails."""
        for r, state in enumerate(self.states):
            reached = [self.states[to] for to in self.successors[r]]
            follows = reached == self.next_state[state]
            require(follows, "a region's successor belongs to another machine state")
        first = self.states[self.claims.start] == 0
        require(first, "the start region belongs to another state than the first")
        # Depth first: few branches are held at once.
        live = self._roots()
        while live:
            live += self._step(live.pop())
            held = len(live) * (self.claims.order + 2) * self.width * BALL
            require(held <= self.budget.memory, "the branches exceed the memory budget")
            if progress is not None:
                progress(self._work() / self.budget.work, f"{self.steps:,} sets followed")
        return Accepted(float(self.margin), self.steps, self.depth)

    def _roots(self) -> list[_Branch]:
        """Begin at every region and at the program's start, a point."""
        none: list[Row] = [[] for _ in self.start]
        still = [ZERO] * self.width
        roots = [_Branch(self.claims.start, self.start, none, still, 0)]
        for r, (centre, shape) in enumerate(zip(self.centres, self.shapes, strict=True)):
            # A generator is a row of the shape, a number's symbols are a column.
            g, e = (none, shape) if self.boxes else (_transposed(shape), still)
            roots.append(_Branch(r, centre, g, e, 0))
        return roots

    def _step(self, branch: _Branch) -> list[_Branch]:
        """Read every letter; return the branches that go on."""
        letters, depth = range(len(self.next_state[0])), branch.depth + 1
        landed_nowhere = f"a branch has landed nowhere after {self.claims.depth} letters"
        require(depth <= self.claims.depth, landed_nowhere)
        self.steps, self.depth = self.steps + len(letters), max(self.depth, depth)
        require(self._work() <= self.budget.work, "the check exceeds the work budget")
        spread = self.step.spread(branch.c, branch.g, branch.e)
        found = []
        for a in letters:
            s = self.step.read(spread, a)
            least = self.readout.margin(s, self.output[self.states[branch.to]][a])
            claimed = f"margin {float(least):.3g} after {depth} letters, {self.claims.margin:.3g}"
            require(least > 0 and least >= self.claims.margin, f"{claimed} is claimed")
            self.margin = arb.min(self.margin, least)
            to = self.successors[branch.to][a]
            if not self._lands(s, to):
                found.append(_Branch(to, *self._kept(s), depth))
        return found

    def _work(self) -> float:
        """Return what was spent, in products."""
        return self.steps * self.each

    def _lands(self, s: BallSet, to: int) -> bool:
        """Say whether a set surely lies in a region (L5)."""
        centre = self.centres[to]
        if self.boxes:
            box = zip(centre, self.shapes[to], s.forms, strict=True)
            return all(c - x.low <= room and x.high - c <= room for c, room, x in box)
        inverse = self.inverses[to]
        at = (inverse.matrix * (s.centre - column(centre))).entries()
        if not all(abs(x) <= 1 for x in at):
            return False
        error = (inverse.sizes * s.error).entries()
        rows = (inverse.matrix * s.symbols).tolist()
        sides = zip(at, rows, error, strict=True)
        return all(abs(x) + size(row) + half <= 1 for x, row, half in sides)

    def _kept(self, s: BallSet) -> tuple[Row, list[Row], Row]:
        """Join the smallest symbols into the box, and the radii of balls: they would add up.

        Which symbols these are is not trusted.
        """
        order, rows = self.claims.order, symbols(s.forms)
        kept = list(range(len(rows[0])))
        if len(kept) > order:
            sizes = [sum(map(abs, map(float, generator))) for generator in zip(*rows, strict=True)]
            kept.sort(key=lambda i: -sizes[i])
        kept, joined = kept[:order], kept[order:]
        e = [
            (x.e + x.c.rad() + size([row[i].rad() for i in kept])).abs_upper()
            + size([row[i] for i in joined]).abs_upper()
            for x, row in zip(s.forms, rows, strict=True)
        ]
        return [x.c.mid() for x in s.forms], [[row[i].mid() for i in kept] for row in rows], e


def _transposed(shape: list[Row]) -> list[Row]:
    return [list(column) for column in zip(*shape, strict=True)]


def _inverse(shape: list[Row]) -> _Inverse:
    """Return balls around the exact inverse."""
    try:
        inverse = arb_mat(shape).inv().transpose()
    except ZeroDivisionError:
        raise Refusal("a region's matrix is singular, or nearly so") from None
    return _Inverse(inverse, absolute(inverse.tolist()))
