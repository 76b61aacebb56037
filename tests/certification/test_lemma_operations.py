"""L4, L8 to L10: what a program computes of the points of a set lies in what the checker computes.

There is a test for each operation, and one for whole records, cells and any others. Programs round
to nearest in float32 and float64, add up in any order, with fused multiply-add or without, and
compute sigmoids and blends in either way; or they err by all that is allowed (`Worst`). A point of
a set comes with the symbols that it has, so it has to lie beside them, not only in an interval.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

pytest.importorskip("flint")

from adversarial import UNITS, WAYS, Adversary, Exact, least_float, outside, rational

from seqarith.cells.domains.floats import FloatStep
from seqarith.cells.recording import Step as Record
from seqarith.cells.steps import ARITY, NAMED, Operation, StepError, arguments, width
from seqarith.certification.kernel.forms import Forms, Memory, Value, exact
from seqarith.certification.kernel.program import Program
from seqarith.certification.kernel.step import SetStep
from seqarith.certification.kernel.wellformed import Refusal

Arrays = dict[str, Any]
Numbers = list[Fraction]
Terms = list[tuple[Fraction, Fraction]]
"""A sum that is not added up yet: factors and numbers."""

ONE, HALF = Fraction(1), Fraction(1, 2)
SEEDS, DTYPES = st.integers(0, 2**32 - 1), st.sampled_from(list(UNITS))
PHASES = (Phase.generate,)  # a smaller seed is no simpler case
TANH_ULPS = 8.0


class Nearest:
    """A program that rounds to nearest, and does what the order leaves open at random."""

    def __init__(self, dtype: str, rng: np.random.Generator) -> None:
        self.kind, self.rng = np.dtype(dtype).type, rng

    def rounded(self, x: Fraction) -> Fraction:
        """Round once: the double nearest to a fraction may be another float32's."""
        near = self.kind(float(x))
        if near and self.kind is np.float32:
            away = np.nextafter(near, self.kind(np.inf if Fraction(float(near)) < x else -np.inf))
            near = min(near, away, key=lambda y: abs(Fraction(float(y)) - x))
        return Fraction(float(near))

    def add(self, x: Fraction, y: Fraction) -> Fraction:
        return self.rounded(x + y)

    def times(self, x: Fraction, y: Fraction) -> Fraction:
        return self.rounded(x * y)

    def total(self, terms: Terms) -> Fraction:
        """Add up in any order, in pairs or one by one; a product may be added unrounded."""
        left = [self.times(*term) if self.rng.random() < 0.5 else term for term in terms]
        while len(left) > 1:
            x, y = (left.pop(self.rng.integers(len(left))) for _ in range(2))
            x = x if isinstance(x, Fraction) else self.times(*x)
            left.append(self.rounded(x + (y if isinstance(y, Fraction) else y[0] * y[1])))
        return left[0] if isinstance(left[0], Fraction) else self.times(*left[0])

    def tanh(self, x: Fraction) -> Fraction:
        return Fraction(float(np.tanh(self.kind(float(x)))))

    def sigmoid(self, x: Fraction) -> Fraction:
        if self.rng.random() < 0.5:
            return self.add(self.times(HALF, self.tanh(self.times(HALF, x))), HALF)
        with np.errstate(over="ignore"):
            return Fraction(float(1 / (1 + np.exp(-self.kind(float(x))))))

    def blend(self, z: Fraction, h: Fraction, n: Fraction) -> Fraction:
        way = self.rng.integers(4)
        if way < 2:
            apart = self.add(h, -n)
            return self.rounded(apart * z + n) if way else self.add(self.times(apart, z), n)
        new = self.times(self.add(ONE, -z), n)
        return self.rounded(new + z * h) if way == 2 else self.add(new, self.times(z, h))


@dataclass(frozen=True)
class Worst(Adversary):
    """A program that errs by all that is allowed, in one of the two ways to blend."""

    swapped: bool = False

    def total(self, terms: Terms) -> Fraction:
        first, *others = (y * w if abs(w) == 1 else self.times(w, y) for w, y in terms)
        for term in others:
            first = self.add(first, term)
        return first

    def blend(self, z: Fraction, h: Fraction, n: Fraction) -> Fraction:
        if self.swapped:
            return self.add(self.times(self.subtract(ONE, z), n), self.times(z, h))
        return self.add(self.times(self.subtract(h, n), z), n)


def run(operations: Any, arrays: Arrays, x: Numbers, memory: Numbers, by: Any) -> list[Numbers]:
    """Return every value that a program computes by a record, the letter's and the memory first."""
    exactly = {name: rational(array) for name, array in arrays.items()}
    values = [[[(ONE, y)] for y in given] for given in (x, memory)]
    for operation in operations:
        values.append(computed(operation, exactly, values, by))
    return [known(value, by) for value in values]


def known(value: list[Terms], by: Any) -> Numbers:
    return [by.total(terms) for terms in value]


def computed(
    operation: Operation, arrays: Arrays, values: list[list[Terms]], by: Any
) -> list[Terms]:
    """Return what an operation adds to the values; sums of sums are one sum."""
    kind, read = operation[0], [values[n] for n in arguments(operation)]
    if kind in ("add", "subtract", "shift", "take"):
        return collected(kind, operation, arrays, read)
    settled = [known(value, by) for value in read]
    if kind == "linear":
        return [list(zip(row, settled[0], strict=True)) for row in arrays[operation[2]]]
    if kind == "scale":
        return [[term] for term in zip(arrays[operation[2]], settled[0], strict=True)]
    if kind == "join":
        return [[(ONE, y)] for part in settled for y in part]
    act = {"multiply": by.times, "relu": lambda y: max(y, Fraction(0))}
    function = act[kind] if kind in act else getattr(by, kind)
    return [[(ONE, function(*each))] for each in zip(*settled, strict=True)]


def collected(
    kind: str, operation: Operation, arrays: Arrays, read: list[list[Terms]]
) -> list[Terms]:
    if kind == "take":
        return read[0][operation[2] : operation[3]]
    if kind == "shift":
        return [[*x, (ONE, b)] for x, b in zip(read[0], arrays[operation[2]], strict=True)]
    sign = 1 if kind == "add" else -1
    return [x + [(sign * w, v) for w, v in y] for x, y in zip(*read, strict=True)]


def sizes(rng: np.random.Generator, *shape: int, largest: float = 5) -> Any:
    """Draw numbers of both signs: alike or unlike in size, from 10^-30 to 10^5, some of them 0."""
    exponent = rng.uniform(-30, largest, shape if rng.random() < 0.4 else ())
    exponent = exponent if rng.random() < 0.5 else np.minimum(0.3, largest)
    x = np.where(rng.random(shape) < 0.1, 2.0 ** rng.integers(-20, 4), rng.normal(size=shape))
    x = x * 10.0**exponent
    x = np.where(rng.random(shape) < 0.05, 2.0 ** -rng.integers(127, 149), x)  # subnormal
    return np.where(rng.random(shape) < 0.1, 0.0, x)


@dataclass(frozen=True)
class Member:
    """A set of memories, one of its points, and the symbols that the point has, as fractions."""

    memory: Memory
    point: Any
    t: Exact

    @staticmethod
    def draw(rng: np.random.Generator, dtype: str, width: int, largest: float = 5) -> Member:
        """Draw a set about a float of the program: at a corner of it, or within."""
        c, g = sizes(rng, 1, width, largest=largest), sizes(rng, 1, 2, width, largest=largest)
        g *= 10.0 ** -rng.choice([0, 1, 4, 400])
        t = rng.choice([-1.0, 1.0, 0.25], (1, 2))
        point = (c + (t[:, :, None] * g).sum(1) + 0.1 * sizes(rng, 1, width, largest=-3)).astype(
            dtype
        )
        gap = rational(point) - rational(c) - (rational(t)[:, :, None] * rational(g)).sum(1)
        e = least_float(np.abs(gap)) * rng.choice([1.0, 1.0, 2.0], (1, width))
        share = np.frompyfunc(lambda off, room: off / room if room else Fraction(0), 2, 1)
        s = share(gap, rational(e))
        assert np.all(np.abs(s) <= 1)
        memory = Memory(c, g, e, 0, width)
        return Member(memory, point, np.concatenate((rational(t), s), 1))


def enclosed(operations: Any, domain: Forms, vector: Any, memory: Memory) -> list[Any]:
    """Return the form of every value of a record, for one letter."""
    values: dict[int, Value] = {0: exact(vector[None].astype(float)), 1: memory}
    for number in range(len(operations)):
        domain.apply(operations, [values], [number])
    return [domain.known(values[n]) for n in range(len(operations) + 2)]


def assert_enclosed(
    operations: Any, arrays: Arrays, vector: Any, member: Member, by: Any, domain: Forms
) -> None:
    """Fail where what a program computes is not in the form of a value."""
    x, memory = list(rational(vector)), list(rational(member.point)[0])
    values = run(operations, arrays, x, memory, by)
    for n, form in enumerate(enclosed(operations, domain, vector, member.memory)):
        at = np.array(values[n], object)[None]
        reached = member.t[:, : form.g.shape[1]]
        assert not outside(form, at, reached), (n, operations[n - 2])
        radius = np.abs(rational(form.g)).sum(1) if form.g.shape[1] else Fraction(0)
        assert np.all(rational(form.radius) >= radius), (n, operations[n - 2])


def floats(operations: Any, arrays: Arrays, vectors: Any, width: int) -> FloatStep:
    shapes = {name: array.shape for name, array in arrays.items()}
    record = Record(tuple(operations), shapes, vectors.shape[1], width)
    return FloatStep(record.pruned(), arrays, vectors)


# Each operation, on parts of a memory of six numbers, on a letter of two, on what they become.

PARTS = [("take", 1, 0, 2), ("take", 1, 2, 4), ("take", 1, 4, 6)]
"""Values 2, 3 and 4."""
BIASES = [("linear", 0, "V"), ("linear", 2, "W"), ("shift", 5, "b"), ("shift", 6, "d")]
LEMMAS: dict[str, list[Operation]] = {
    "linear": [("linear", 1, "U")],
    "linear of a part": [("linear", 3, "W")],
    "linear of a letter": [("linear", 0, "W")],
    "linear of a value": [("tanh", 2), ("linear", 5, "W")],
    "linear of a sum": [("add", 2, 3), ("linear", 5, "W"), ("linear", 6, "V")],
    "linear of letters": [("linear", 0, "V"), ("linear", 5, "W")],
    "shift": [("shift", 2, "b")],
    "shift of a letter": [("shift", 0, "b")],
    "shift of a value": [("multiply", 2, 3), ("shift", 5, "b")],
    "scale": [("scale", 2, "s")],
    "scale of a letter": [("scale", 0, "s")],
    "scale of a sum": [("linear", 2, "W"), ("scale", 5, "s"), ("scale", 6, "b")],
    "add": [("add", 2, 3)],
    "add to itself": [("add", 2, 2)],
    "add a letter": [("add", 0, 2), ("add", 3, 0), ("add", 0, 0)],
    "add values": [("tanh", 2), ("sigmoid", 3), ("add", 5, 6)],
    "subtract": [("subtract", 2, 3)],
    "subtract a letter": [("subtract", 0, 2), ("subtract", 2, 0)],
    "subtract what is common": [("tanh", 2), ("subtract", 5, 2), ("subtract", 5, 5)],
    "subtract a sum": [("linear", 0, "V"), ("linear", 2, "W"), ("subtract", 5, 6)],
    "a sum of both biases": [*BIASES, ("add", 7, 8)],
    "a sum of differences": [*BIASES, ("subtract", 7, 8), ("subtract", 4, 9), ("add", 10, 10)],
    "multiply": [("multiply", 2, 3)],
    "multiply by itself": [("multiply", 2, 2)],
    "multiply by a letter": [("multiply", 0, 2), ("multiply", 2, 0), ("multiply", 0, 0)],
    "multiply sums": [*BIASES, ("add", 7, 8), ("multiply", 9, 7)],
    "tanh": [("tanh", 2)],
    "tanh of a letter": [("tanh", 0)],
    "tanh of a sum": [*BIASES, ("add", 7, 8), ("tanh", 9)],
    "sigmoid": [("sigmoid", 2)],
    "sigmoid of a letter": [("sigmoid", 0)],
    "sigmoid of a sum": [*BIASES, ("add", 7, 8), ("sigmoid", 9)],
    "relu": [("relu", 2)],
    "relu of a letter": [("relu", 0)],
    "relu of a sum": [*BIASES, ("add", 7, 8), ("relu", 9)],
    "blend": [("blend", 2, 3, 4)],
    "blend by a gate": [("sigmoid", 2), ("tanh", 3), ("blend", 5, 4, 6)],
    "blend with itself": [("sigmoid", 2), ("blend", 5, 2, 2), ("blend", 2, 2, 2)],
    "blend with letters": [("sigmoid", 2), ("blend", 5, 0, 3), ("blend", 0, 3, 0)],
    "take": [("take", 1, 1, 5), ("take", 5, 1, 3), ("take", 6, 0, 1)],
    "take of a sum": [("linear", 1, "X"), ("take", 5, 1, 3), ("shift", 6, "b"), ("take", 7, 1, 2)],
    "take of a value": [("tanh", 1), ("take", 5, 3, 5), ("take", 0, 1, 2)],
    "join": [("join", 3, 2), ("join", 2)],
    "join of all kinds": [("linear", 2, "W"), ("tanh", 3), ("join", 0, 5, 6, 4, 5)],
    "memory": [],
}
SHAPES = {"W": (2, 2), "V": (2, 2), "U": (2, 6), "X": (5, 6), "b": (2,), "d": (2,), "s": (2,)}


def drawn(rng: np.random.Generator, dtype: str, largest: float = 5) -> Arrays:
    return {n: sizes(rng, *s, largest=largest).astype(dtype) for n, s in SHAPES.items()}


@pytest.mark.parametrize("name", LEMMAS)
@settings(max_examples=20, phases=PHASES)
@given(seed=SEEDS, dtype=DTYPES)
def test_what_an_operation_computes_is_enclosed(name: str, seed: int, dtype: str) -> None:
    rng, operations = np.random.default_rng(seed), [*PARTS, *LEMMAS[name]]
    arrays, member = drawn(rng, dtype), Member.draw(rng, dtype, 6)
    vectors = sizes(rng, 1, 2).astype(dtype)
    domain = Forms(arrays, TANH_ULPS, UNITS[dtype])
    by = Nearest(dtype, rng)
    assert_enclosed(operations, arrays, vectors[0], member, by, domain)
    # The package's own program computes the same, in an order of its own.
    last = len(operations) + 1
    ends = [*operations, ("join", *[last] * 6), ("take", last + 1, 0, 6)]
    with np.errstate(under="ignore"):
        found = floats(ends, arrays, vectors, 6).step(member.point, np.zeros(1, int))
    (*_, form) = enclosed(ends, domain, vectors[0], member.memory)
    assert not outside(form, rational(found), member.t[:, : form.g.shape[1]])


MODERATE = 1.0
"""Sizes, as powers of 10, of which no product leaves what TINY pays for."""


@pytest.mark.parametrize("name", LEMMAS)
@settings(max_examples=5, phases=PHASES)
@given(seed=SEEDS, dtype=DTYPES)
def test_what_the_worst_program_computes_is_enclosed(name: str, seed: int, dtype: str) -> None:
    """With every rounding, underflow and tanh off by all that is allowed, whichever way hurts."""
    rng, operations = np.random.default_rng(seed), [*PARTS, *LEMMAS[name]]
    arrays, member = drawn(rng, dtype, MODERATE), Member.draw(rng, dtype, 6, MODERATE)
    vector = sizes(rng, 2, largest=MODERATE).astype(dtype)
    domain = Forms(arrays, TANH_ULPS, UNITS[dtype])
    for way, swapped in product(WAYS, (False, True)):
        by = Worst(dtype, way, TANH_ULPS, swapped=swapped)
        assert_enclosed(operations, arrays, vector, member, by, domain)


LOSES = {
    # Part of the unit, or of the error of tanh, with which the worst program is outside.
    "linear of a letter": (0.3, 1.0), "shift of a letter": (0.15, 1.0), "scale": (0.15, 1.0),
    "add": (0.15, 1.0), "subtract": (0.15, 1.0), "multiply": (0.9, 1.0),
    "multiply by itself": (0.9, 1.0), "blend": (0.3, 1.0), "tanh": (1.0, 0.9),
    "sigmoid": (1.0, 0.6),
}  # fmt: skip


@pytest.mark.parametrize("name", LOSES)
def test_with_less_than_its_error_the_worst_program_is_not_enclosed(name: str) -> None:
    """Control: what the tests above accept is not far from the truth."""
    rng, operations = np.random.default_rng(3), [*PARTS, *LEMMAS[name]]
    arrays = {n: np.abs(rng.uniform(0.5, 1, s)).astype("float32") for n, s in SHAPES.items()}
    point = np.array([[0.01, 0.02, 0.9, 0.8, -0.9, -0.8]], "float32")
    still = Memory(point.astype(float), np.zeros((1, 2, 6)), np.zeros((1, 6)), 0, 6)
    member, unit = Member(still, point, rational(np.zeros((1, 8)))), UNITS["float32"]
    vector = np.array([0.7, 0.6], "float32")
    for part, tanh, leaves in ((1.0, 1.0, False), (*LOSES[name], True)):
        domain = Forms(arrays, TANH_ULPS * tanh, part * unit)
        outcomes = []
        for way in WAYS:
            try:
                by = Worst("float32", way, TANH_ULPS)
                assert_enclosed(operations, arrays, vector, member, by, domain)
            except AssertionError:
                outcomes.append(way)
        assert bool(outcomes) == leaves


@pytest.mark.parametrize("terms", [10, 300, 1000])
def test_a_sum_that_loses_half_an_ulp_at_every_step_is_enclosed(terms: int) -> None:
    """1 + 2^-24 + 2^-24 + ... is 1 in float32, term by term; with half the unit it is outside."""
    half, small = terms // 2, np.float32(2.0**-24)
    square = np.full((half, half), small)
    arrays = {"V": square, "W": square, "b": np.ones(half, np.float32)}
    operations: list[Operation] = [
        ("linear", 0, "V"), ("shift", 2, "b"), ("linear", 1, "W"), ("add", 3, 4),
    ]  # fmt: skip
    one = np.ones(half, np.float32)
    order = np.concatenate(([1.0], np.full(2 * half, small))).astype(np.float32)
    computed = float(np.cumsum(order, dtype=np.float32)[-1])
    assert computed == 1
    still = Memory(np.ones((1, half)), np.zeros((1, 0, half)), np.zeros((1, half)), 0, half)
    for part, contained in ((1.0, True), (0.5, False)):
        domain = Forms(arrays, TANH_ULPS, part * UNITS["float32"])
        (*_, out) = enclosed(operations, domain, one, still)
        assert np.all(out.low <= computed) == contained
        assert np.all(np.abs(computed - out.c) <= out.e) == contained


def test_sums_of_a_thousand_terms_that_cancel_are_enclosed() -> None:
    """Exactly 0, though float64 gives something else: nothing but GAMMA of the sizes helps."""
    rng, half = np.random.default_rng(0), 500
    w = rng.normal(size=half) * 2.0 ** rng.integers(0, 20, half)
    w = np.concatenate((w, -w))[rng.permutation(2 * half)][None]
    point = Memory(
        np.ones((1, 2 * half)), np.zeros((1, 0, 2 * half)), np.zeros((1, 2 * half)), 0, 1000
    )
    (*_, out) = enclosed([("linear", 1, "w")], Forms({"w": w}, 4.0, 0.0), np.ones(1), point)
    assert out.c != 0
    assert out.low <= 0 <= out.high
    assert np.abs(out.c) <= out.e


@pytest.mark.parametrize("largest", [2.0**20, 2.0**60])
@pytest.mark.parametrize("dtype", UNITS)
def test_what_is_flushed_to_zero_is_enclosed(dtype: str, largest: float) -> None:
    """Operands just below the smallest normal number, the other ones as large as can be."""
    below = np.full((1, 6), float(np.finfo(dtype).tiny) * (1 - 2.0**-20)).astype(dtype)
    below[0, 2:4] = largest
    none = np.zeros((1, 6))
    still = Memory(below.astype(float), np.zeros((1, 2, 6)), none, 0, 6)
    member = Member(still, below, rational(np.zeros((1, 8))))
    arrays = {n: np.full(s, 2.0**20, dtype) for n, s in SHAPES.items()}
    domain, by = Forms(arrays, TANH_ULPS, UNITS[dtype]), Worst(dtype, "toward", TANH_ULPS)
    vector = below[0, 4:].copy()
    for name in ("linear", "linear of a letter", "scale", "shift", "add", "multiply", "blend"):
        operations = [*PARTS, *LEMMAS[name]]
        assert_enclosed(operations, arrays, vector, member, by, domain)
        assert np.all(enclosed(operations, domain, vector, still)[-1].e >= 2.0**-90)


# Whole records.


def random_operation(rng: np.random.Generator, known: list[int]) -> Operation:
    """Draw an operation on values of these widths; it may not fit."""
    kind = str(rng.choice([*ARITY, "join"]))
    read = [int(n) for n in rng.integers(len(known), size=3)]
    if kind == "take":
        ends = sorted(int(n) for n in rng.integers(7, size=2))
        return (kind, read[0], *ends)
    if kind in NAMED:
        return (kind, read[0], str(rng.choice(list(ARRAYS))))
    return (kind, *read[: ARITY.get(kind, rng.integers(1, 4))])


def random_record(rng: np.random.Generator, length: int) -> list[Operation]:
    """Draw operations that read any values before them, and return a memory of four numbers."""
    known, operations = [2, 4], list[Operation]()
    while len(operations) < length:
        operation = random_operation(rng, known)
        try:
            found = width(operation, ARRAYS, known)
        except StepError:
            continue
        if found <= 6:
            known.append(found)
            operations.append(operation)
    return [*operations, ("linear", len(known) - 1, f"E{known[-1]}")]


ARRAYS = {
    **{f"W{i}{o}": (o, i) for i in (2, 3, 4) for o in (2, 4)},
    **{f"{kind}{n}": (n,) for kind in "bs" for n in (2, 3, 4)},
}
ENDS = {f"E{n}": (4, n) for n in range(1, 7)}
ALL_ARRAYS, VECTORS = ARRAYS | ENDS, 3


@settings(max_examples=150, phases=PHASES)
@given(
    seed=SEEDS,
    dtype=DTYPES,
    length=st.integers(1, 10),
    largest=st.sampled_from([0.5, 0.5, 5.0, 12.0, 25.0]),
)
def test_what_any_record_computes_is_enclosed(
    seed: int, dtype: str, length: int, largest: float
) -> None:
    """Every value of it, and the memory that `SetStep` encloses of it under every letter.

    Or the checker refuses it, since a number of the program could be larger than its format has.
    """
    rng = np.random.default_rng(seed)
    operations = random_record(rng, length)
    arrays = {n: sizes(rng, *s, largest=largest).astype(dtype) for n, s in ALL_ARRAYS.items()}
    member = Member.draw(rng, dtype, 4, largest)
    vectors = sizes(rng, VECTORS, 2, largest=largest).astype(dtype)
    domain, memory = Forms(arrays, TANH_ULPS, UNITS[dtype]), member.memory
    try:
        step = SetStep(tuple(operations), vectors.astype(float), domain)
        found = step.steps(step.spread(memory.c, memory.g, memory.e), range(VECTORS))
    except Refusal:
        assert largest > 5
        return
    assert_enclosed(operations, arrays, vectors[0], member, Nearest(dtype, rng), domain)
    with np.errstate(over="raise", invalid="raise", under="ignore"):
        program = floats(operations, arrays, vectors, 4)
        images = [program.step(member.point, np.array([a])) for a in range(VECTORS)]
    for image, sets in zip(images, found, strict=True):
        assert not outside(sets, rational(image), member.t[:, : sets.g.shape[1]])


@pytest.mark.parametrize(
    "operations",
    [
        [("linear", 0, "V")],
        [("tanh", 0)],
        [("take", 1, 0, 2)],
        [("take", 0, 0, 2)],
        [("sigmoid", 1)],
        [("add", 0, 1)],
        [("shift", 0, "b")],
    ],
)
def test_every_set_has_a_row_of_its_own(operations: list[Operation]) -> None:
    """Whether the memory after a letter depends on the memory, on the letter, or on both."""
    rng = np.random.default_rng(0)
    arrays, vectors = drawn(rng, "float64", MODERATE), rng.normal(size=(3, 2))
    c, g, e = rng.normal(size=(5, 2)), rng.normal(size=(5, 4, 2)), rng.uniform(size=(5, 2))
    step = SetStep(tuple(operations), vectors, Forms(arrays, TANH_ULPS, UNITS["float64"]))
    symbols = set()
    for sets in step.steps(step.spread(c, g, e), range(3)):
        symbols.add(sets.g.shape[1])
        assert sets.g.shape[::2] == (5, 2)
        assert all(getattr(sets, name).shape == (5, 2) for name in ("c", "e", "low", "high"))
    assert len(symbols) == 1


KINDS = ["tanh", "sigmoid", "relu", "gru", "lstm", "jordan", "tanh2", "gru2", "lstm2"]


def rows(member: list[Member]) -> tuple[Any, Any, Any]:
    """Put sets of one row each together."""
    parts = zip(*((m.memory.c, m.memory.g, m.memory.e) for m in member), strict=True)
    c, g, e = (np.concatenate(part) for part in parts)
    return c, g, e


def assert_steps(p: Program, members: list[Member], by: Any, allowed: float = TANH_ULPS) -> bool:
    """Say whether a program stays in what `SetStep` encloses, under every letter."""
    domain = Forms(dict(p.arrays), allowed, UNITS[p.dtype])
    step = SetStep(p.step, p.inputs.astype(float), domain)
    spread = step.spread(*rows(members))
    for letters in (range(1), range(1, 3)):
        for a, sets in zip(letters, step.steps(spread, letters), strict=True):
            x = list(rational(p.inputs[a]))
            images = [
                run(p.step, dict(p.arrays), x, list(rational(m.point)[0]), by)[-1] for m in members
            ]
            t = np.concatenate([m.t for m in members])[:, : sets.g.shape[1]]
            if outside(sets, np.array(images, object), t):
                return False
    return True


@pytest.mark.parametrize(("kind", "dtype"), list(product(KINDS, UNITS)))
def test_a_step_of_the_worst_program_of_a_cell_is_enclosed(
    draw: Any, kind: str, dtype: str
) -> None:
    """For points, tiny sets and large ones at once: rows of one call."""
    p, rng = draw(7, 2, 1, kind, dtype), np.random.default_rng(1)
    members = [Member.draw(rng, dtype, p.memory, size) for size in (-8, -3, 0.0)]
    for way, swapped in product(WAYS, (False, True)):
        if swapped <= ("gru" in kind):
            assert assert_steps(p, members, Worst(dtype, way, TANH_ULPS, swapped=swapped))


@pytest.mark.parametrize("kind", ["tanh", "sigmoid"])
def test_with_a_better_tanh_than_the_programs_the_worst_program_is_not_enclosed(
    draw: Any, kind: str
) -> None:
    p = draw(7, 2, 1, kind, "float32")
    p = Program(**{**vars(p), "arrays": {n: x * np.float32(0.001) for n, x in p.arrays.items()}})
    member = Member.draw(np.random.default_rng(1), "float32", p.memory, -3)
    by = Worst("float32", "away", TANH_ULPS)
    assert assert_steps(p, [member], by)
    assert not assert_steps(p, [member], by, TANH_ULPS / 2)
