"""The margins of a program's digits in ball arithmetic."""

from __future__ import annotations

from functools import reduce
from typing import NamedTuple, final

from flint import arb, arb_mat

from seqarith.certification.exact.balls import (
    ENDLESS,
    HALF,
    Format,
    Row,
    absolute,
    column,
    floats,
    negated,
    plus,
    scaled,
    size,
    total,
)
from seqarith.certification.exact.step import BallSet
from seqarith.certification.kernel.program import Program


class Rows(NamedTuple):
    """What has to be positive for a digit: linear forms of the memory, plus offsets.

    Attributes:
        matrix: The forms (N, M).
        sizes: Their absolute values.
        offsets: Shape (N,).
        logits: Those whose rounding each of them bears.
    """

    matrix: arb_mat
    sizes: arb_mat
    offsets: Row
    logits: list[list[int]]


@final
class BallReadout:
    """The margins of digits, the program's rounding deducted (L6)."""

    def __init__(self, p: Program, by: Format) -> None:
        self._hidden, self._by = p.readout_weight.shape[1], by
        self._bias: Row = floats(p.readout_bias.tolist())
        rest = [0.0] * (len(p.start) - self._hidden)  # of a memory only the hidden vector is read
        self._weight: list[Row] = floats([row + rest for row in p.readout_weight.tolist()])
        self._sizes = absolute(self._weight)
        self._factors = [size(row) + 4 * (self._hidden + 1) for row in self._weight]
        self._over = arb(p.threshold)
        self._digits: dict[int, Rows] = {}

    def margin(self, s: BallSet, digit: int) -> arb:
        """Bound the margin of the digit that is due; infinite where any digit will do."""
        if digit == max(len(self._bias), 2):
            return ENDLESS
        if digit not in self._digits:
            self._digits[digit] = self._rows(digit)
        rows, errors = self._digits[digit], self._errors(s)
        least = [
            value + offset - total(errors[k] for k in logits)
            for value, offset, logits in zip(
                self._least(s, rows), rows.offsets, rows.logits, strict=True
            )
        ]
        return reduce(arb.min, least)

    def _rows(self, digit: int) -> Rows:
        w, b = self._weight, self._bias
        if len(b) == 1:
            sign = 2 * digit - 1
            matrix, offsets, logits = [scaled(arb(sign), w[0])], [sign * (b[0] - self._over)], [[0]]
        else:
            others = [k for k in range(len(b)) if k != digit]
            matrix = [plus(w[digit], negated(w[k])) for k in others]
            offsets, logits = [b[digit] - b[k] for k in others], [[digit, k] for k in others]
        return Rows(arb_mat(matrix), absolute(matrix), offsets, logits)

    def _errors(self, s: BallSet) -> Row:
        """Bound what the program loses in every logit."""
        reach = [x.reach for x in s.forms]
        largest = (self._sizes * column(reach)).entries()
        lost = total(reach[: self._hidden])
        return [
            self._by.rounding(self._hidden + 1, most + abs(b), factors + lost)
            for most, b, factors in zip(largest, self._bias, self._factors, strict=True)
        ]

    @staticmethod
    def _least(s: BallSet, rows: Rows) -> Row:
        """Bound linear forms from below, each by zonotope or by box, as is better."""
        along = map(size, (rows.matrix * s.symbols).tolist())
        middle = column([HALF * (x.low + x.high) for x in s.forms])
        half = column([HALF * (x.high - x.low) for x in s.forms])
        by_symbols = (rows.matrix * s.centre - rows.sizes * s.error).entries()
        by_box = (rows.matrix * middle - rows.sizes * half).entries()
        return [
            arb.max(x - radius, y) for x, radius, y in zip(by_symbols, along, by_box, strict=True)
        ]
