"""Re-check a certificate in ball arithmetic: nothing that NumPy computes is trusted.

It repeats what ``check`` does, without ``outward``: the formulas, the bounds of the program's
rounding and tanh are its own. NumPy only holds the arrays. Needs the extra ``exact``.
"""

from __future__ import annotations

from typing import Any, NamedTuple, final

from flint import arb, arb_mat, ctx

from seqarith.certification.balls import (
    ZERO,
    Cell,
    Format,
    Readout,
    Row,
    Set,
    dot,
    extents,
    floats,
    greatest,
    size,
)
from seqarith.certification.certificate import Certificate
from seqarith.certification.check import DEFAULT, Accepted, Budget, Progress, Rejected
from seqarith.certification.program import Program
from seqarith.certification.wellformed import Refusal, require, validate

BITS = 128  # of the middles of balls; more only makes them smaller
WIDEST = 1000  # with LARGEST it keeps the program from overflow
LARGEST = 2.0**20
BALL = 128  # bytes of a ball, about
STEP_WORK = 3_500  # what a step costs beside products, in products of 60 ns: 0.2 ms


def check_exact(
    program: Program,
    certificate: Certificate,
    budget: Budget = DEFAULT,
    progress: Progress | None = None,
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
    """A set, the region that it is on its way to, and how many letters it has read."""

    to: int
    c: Row
    g: arb_mat
    e: Row
    depth: int


@final
class _Checker:
    """The induction of L7: from every region and from the start, until each branch has landed."""

    def __init__(self, p: Program, c: Certificate, budget: Budget) -> None:
        _read_program(p)
        regions, width = len(c.states), len(p.start)
        square = [width] * (c.shapes.ndim - 1)
        self.states = _read(c.states, int, [regions], 0, len(p.next_state) - 1)
        self.successors = _read(c.successors, int, [regions, len(p.inputs)], 0, regions - 1)
        self.centres = floats(_read(c.centres, float, [regions, width], -LARGEST, LARGEST))
        least = 0.0 if len(square) == 1 else -LARGEST
        self.shapes = floats(_read(c.shapes, float, [regions, *square], least, LARGEST))
        self.claims, self.budget = c, budget
        self.next_state, self.output = p.next_state.tolist(), p.output.tolist()
        form = Format.of(c.dtype, c.tanh_ulps)
        self.boxes = len(square) == 1
        self.cell = Cell(
            p, form, greatest([x for region in self._regions() for x in extents(*region)])
        )
        self.readout = Readout(p, self.cell.reach, form)
        self.start: Row = floats(p.start.tolist())
        self.inverses = [] if self.boxes else [_inverse(m) for m in self.shapes]
        self.margin, self.steps, self.depth = arb.pos_inf(), 0, 0

    def run(self, progress: Progress | None) -> Accepted:
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
            held = len(live) * (self.claims.order + 2) * self.cell.width * BALL
            require(held <= self.budget.memory, "the branches exceed the memory budget")
            if progress is not None:
                progress(self._work() / self.budget.work, f"{self.steps:,} sets followed")
        return Accepted(float(self.margin), self.steps, self.depth)

    def _roots(self) -> list[_Branch]:
        """Begin at every region and at the program's start, a point."""
        none, still = arb_mat(0, self.cell.width), [ZERO] * self.cell.width
        roots = [_Branch(self.claims.start, self.start, none, still, 0)]
        return roots + [_Branch(r, *region, 0) for r, region in enumerate(self._regions())]

    def _regions(self) -> list[tuple[Row, arb_mat, Row]]:
        """Return the centre, generators and box of every region."""
        width = len(self.centres[0])
        none, still = arb_mat(0, width), [ZERO] * width
        return [
            (centre, none, shape) if self.boxes else (centre, arb_mat(shape), still)
            for centre, shape in zip(self.centres, self.shapes, strict=True)
        ]

    def _step(self, branch: _Branch) -> list[_Branch]:
        """Read every letter; return the branches that go on."""
        letters, depth = range(len(self.next_state[0])), branch.depth + 1
        landed_nowhere = f"a branch has landed nowhere after {self.claims.depth} letters"
        require(depth <= self.claims.depth, landed_nowhere)
        self.steps, self.depth = self.steps + len(letters), max(self.depth, depth)
        require(self._work() <= self.budget.work, "the check exceeds the work budget")
        spread = self.cell.spread(branch.c, branch.g, branch.e)
        found = []
        for a in letters:
            s = self.cell.step(spread, a)
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
        numbers = (self.claims.order + 2 * self.cell.width) * self.cell.width
        return float(self.steps) * (numbers * self.cell.width + STEP_WORK)

    def _lands(self, s: Set, to: int) -> bool:
        """Say whether a set surely lies in a region (L5)."""
        centre = self.centres[to]
        if self.boxes:
            sides = zip(centre, self.shapes[to], s.low, s.high, strict=True)
            return all(c - low <= room and high - c <= room for c, room, low, high in sides)
        inverse = self.inverses[to]
        offset = arb_mat([[x - c for x, c in zip(s.c, centre, strict=True)]])
        at = (offset * inverse).entries()
        if not all(abs(x) <= 1 for x in at):
            return False
        rows, columns = (s.g * inverse).entries(), inverse.transpose().tolist()
        width = len(at)
        return all(
            abs(at[j]) + size(rows[j::width]) + dot(s.e, [abs(x) for x in columns[j]]) <= 1
            for j in range(width)
        )

    def _kept(self, s: Set) -> tuple[Row, arb_mat, Row]:
        """Join the smallest generators into the box, and the radii of balls: they would add up.

        Which generators these are is not trusted.
        """
        order, width = self.claims.order, self.cell.width
        rows = s.g.tolist()
        if len(rows) > order:
            rows.sort(key=lambda row: -float(size(row)))
        e = [
            (x + c.rad() + size([row[j].rad() for row in rows[:order]])).abs_upper()
            + size([row[j] for row in rows[order:]]).abs_upper()
            for j, (x, c) in enumerate(zip(s.e, s.c, strict=True))
        ]
        g = arb_mat(min(order, len(rows)), width, [x.mid() for row in rows[:order] for x in row])
        return [x.mid() for x in s.c], g, e


def _inverse(shape: list[Row]) -> arb_mat:
    """Return balls around the exact inverse."""
    try:
        return arb_mat(shape).inv()
    except ZeroDivisionError:
        raise Refusal("a region's matrix is singular, or nearly so") from None


def _read_program(p: Program) -> None:
    """Refuse values that could overflow or be no numbers, and tables that lead nowhere."""
    elman = p.cell == "elman" and set(p.options) == {"activation"}
    require(elman, f"a cell {p.cell!r}: ball arithmetic is made for Elman cells")
    letters, inputs = p.inputs.shape
    width, outputs, states = len(p.start), len(p.readout_bias), len(p.next_state)
    require(max(letters, inputs, width, outputs) <= WIDEST, "the network is too wide")
    for name, shape in {
        "weight_ih": [width, inputs],
        "weight_hh": [width, width],
        "bias": [width],
    }.items():
        _read(p.kernels[name], float, shape, -LARGEST, LARGEST)
    for name, shape in {
        "inputs": [letters, inputs],
        "start": [width],
        "readout_weight": [outputs, width],
        "readout_bias": [outputs],
    }.items():
        _read(getattr(p, name), float, shape, -LARGEST, LARGEST)
    _read(p.next_state, int, [states, letters], 0, states - 1)
    _read(p.output, int, [states, letters], 0, max(outputs, 2))


def _read(array: Any, kind: type[int | float], shape: list[int], low: float, high: float) -> Any:
    """Return an array as lists, if its shape and each of its values is as expected."""
    values = array.tolist()
    require(_fits(values, kind, shape, low, high), f"{kind.__name__}s {shape} are not as expected")
    return values


def _fits(values: Any, kind: type[int | float], shape: list[int], low: float, high: float) -> bool:
    if not shape:
        return type(values) is kind and low <= values <= high
    return (
        type(values) is list
        and len(values) == shape[0]
        and all(_fits(value, kind, shape[1:], low, high) for value in values)
    )
