"""Each refusal of the checker has a test, and whatever is given, nothing is raised."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqarith.cells.steps import ACTIVATIONS, ARITY, MOST, NAMED, batches, reads
from seqarith.certification.kernel import check as checking
from seqarith.certification.kernel import forms, wellformed
from seqarith.certification.kernel.certificate import Certificate
from seqarith.certification.kernel.check import Accepted, Budget, Rejected, check
from seqarith.certification.kernel.program import Program
from seqarith.certification.kernel.wellformed import (
    MAX_ORDER,
    MAX_VALUE,
    MAX_WIDTH,
    MIN_TANH_ULPS,
)

F8 = np.float64
ROOMY = Budget(memory=2**34)


Case = Callable[[], tuple[Any, Any]]
TRUE = {
    "tanh": (("linear", 1, "w"), ("linear", 0, "v"), ("shift", 2, "b"), ("add", 4, 3), ("tanh", 5)),
    "gate": (
        ("linear", 0, "v"), ("linear", 1, "w"), ("scale", 3, "b"), ("subtract", 2, 4),
        ("sigmoid", 5), ("relu", 2), ("multiply", 6, 7), ("blend", 6, 1, 8),
    ),
    "parts": (("take", 1, 0, 1), ("join", 2, 2, 1), ("linear", 3, "u"), ("tanh", 4)),
}  # fmt: skip
"""Steps that lead from a memory about 0 to one about 0, if all weights are 0."""


def tiny(kind: str = "tanh", width: int = 1, letters: int = 1, outputs: int = 1) -> Program:
    """Return a network of zeros that says 1 whatever it reads, on a machine that does so too."""
    shapes = {"v": (width, 1), "w": (width, width), "b": (width,), "u": (width, width + 2)}
    named = [operation[2] for operation in TRUE[kind] if operation[0] in NAMED]
    bias = np.where(np.arange(outputs) == min(1, outputs - 1), 1.0, 0.0)
    table = np.zeros((1, letters), np.int64)
    return Program(
        step=TRUE[kind],
        arrays={name: np.zeros(shapes[name]) for name in named},
        inputs=np.ones((letters, 1)),
        start=np.zeros(width),
        readout_weight=np.zeros((outputs, width)),
        readout_bias=bias,
        threshold=0.0,
        next_state=table,
        output=table + 1,
    )


def single() -> Program:
    """Return the tiny network in float32."""
    p = tiny()
    floats = ("inputs", "start", "readout_weight", "readout_bias")
    parts: dict[str, Any] = {name: getattr(p, name).astype(np.float32) for name in floats}
    return replace(p, **parts, arrays={n: x.astype(np.float32) for n, x in p.arrays.items()})


def certified(p: Program) -> Certificate:
    """One box around 0, which every step leads into."""
    width, letters = len(p.start), len(p.inputs)
    none = np.zeros((1, letters), np.int64)
    return Certificate(
        Program.digest(p), p.dtype, MIN_TANH_ULPS, none[:, 0].copy(), none, np.zeros((1, width)),
        np.full((1, width), 0.5), 0, 1, 0, 0.5,
    )  # fmt: skip


KINDS = list(TRUE)


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_cases_are_made_of_is_accepted(kind: str) -> None:
    width = 1 if kind == "parts" else 2
    p = tiny(kind, width, 3)
    assert isinstance(check(p, certified(p)), Accepted)


def changed(kind: str = "tanh", **parts: Any) -> Case:
    """Return a program with other fields, and the certificate of the one that it was."""

    def build() -> tuple[Any, Any]:
        p = tiny(kind)
        return replace(p, **parts), certified(p)

    return build


def array(name: str, value: Any) -> Case:
    return changed(arrays={**tiny().arrays, name: value})


def stepped(*operations: Any, kind: str = "tanh") -> Case:
    """Put operations in front of a step's last one."""
    return changed(kind, step=(*TRUE[kind][:-1], *operations, TRUE[kind][-1]))


def claimed(**parts: Any) -> Callable[[], tuple[Any, Any]]:
    def build() -> tuple[Any, Any]:
        p = tiny()
        return p, replace(certified(p), **parts)

    return build


def sized(**sizes: Any) -> Callable[[], tuple[Any, Any]]:
    def build() -> tuple[Any, Any]:
        p = tiny(**sizes)
        return p, certified(p)

    return build


def tampered(record: str, name: Any, value: Any) -> Callable[[], tuple[Any, Any]]:
    """Write past the frozen dataclass: an attribute beside its fields, or one of them deleted."""

    def build() -> tuple[Any, Any]:
        p = tiny()
        c = certified(p)
        held = vars(p if record == "program" else c)
        if value is None:
            del held[name]
        else:
            held[name] = value
        return p, c

    return build


def subclassed(record: str) -> tuple[Any, Any]:
    """A digest of one's own would speak of any program at all."""
    p = tiny()
    c = certified(p)
    base: Any = Program if record == "program" else Certificate
    made = type("Lie", (base,), {"digest": lambda self: "0" * 64} if base is Program else {})
    if record == "program":
        return made(**vars(p)), replace(c, digest="0" * 64)
    return p, made(**vars(c))


def mixed() -> tuple[Any, Any]:
    p = tiny("gate")
    return replace(p, readout_bias=np.ones(1, np.float32)), certified(p)


SPOILT = list(product(["next_state", "output", "states", "successors"], [-1, 3]))


def one_index(name: str, value: int) -> tuple[Any, Any]:
    """Spoil one index of three; the others are right."""
    p = tiny(letters=3)
    c = certified(p)
    record: Any = p if name in ("next_state", "output") else c
    if name == "states":
        c = replace(c, centres=np.zeros((3, 1)), shapes=np.ones((3, 1)), states=np.zeros(3, int))
        c = replace(c, successors=np.zeros((3, 3), int))
        record = c
    array = getattr(record, name).copy()
    array.flat[1] = value
    record = replace(record, **{name: array})
    return (
        (record, replace(c, digest=Program.digest(record)))
        if type(record) is Program
        else (p, record)
    )


def one_nan() -> tuple[Any, Any]:
    p = tiny(width=2)
    spoilt = {**p.arrays, "b": np.array([0.0, np.nan])}
    return replace(p, arrays=spoilt), certified(p)


def one_negative_side() -> tuple[Any, Any]:
    p = tiny(width=2)
    return p, replace(certified(p), shapes=np.array([[0.5, -0.5]]))


def endless(*shape: int, dtype: Any = F8) -> Any:
    """An array of any size that holds one number."""
    return np.broadcast_to(np.zeros((), dtype), shape)


def regions(count: int) -> tuple[Any, Any]:
    """As many regions as are wanted, which hold no memory."""
    p = tiny(width=100)
    return p, replace(certified(p), states=np.zeros(count, np.int64))


def renamed() -> tuple[Any, Any]:
    """A field whose name is no text, but equal to one."""
    p = tiny()
    c, held = certified(p), vars(p)
    held[Kind("inputs")] = held.pop("inputs")
    return p, c


def wide_memory(width: int) -> tuple[Any, Any]:
    """A hidden vector of one number in a memory of many."""
    p = replace(tiny("parts"), step=(("take", 1, 0, width),), arrays={}, start=np.zeros(width))
    return p, replace(certified(tiny()), digest=Program.digest(p))


def wide_value(width: int) -> tuple[Any, Any]:
    """A step that makes so many numbers of one."""
    u = np.zeros((width, 1))
    step = (("linear", 1, "u"), ("take", 2, width - 1, width), ("tanh", 3))
    p = replace(tiny(), step=step, arrays={"u": u})
    return p, certified(p)


def wide_sum(width: int) -> tuple[Any, Any]:
    """A product that adds up so many numbers."""
    step = (("linear", 1, "u"), ("linear", 2, "v"), ("tanh", 3))
    p = replace(tiny(), step=step, arrays={"u": np.zeros((width, 1)), "v": np.zeros((1, width))})
    return p, certified(p)


def long_sum(terms: int) -> tuple[Any, Any]:
    """Add the memory to itself again and again: no number is rounded before all are added."""
    step: list[Any] = [("linear", 1, "w")]
    step += [("add", 2 + n, 2) for n in range(terms - 1)]
    p = replace(tiny(), step=(*step, ("tanh", len(step) + 1)), arrays={"w": np.zeros((1, 1))})
    return p, certified(p)


def doubled_sum(doublings: int) -> tuple[Any, Any]:
    """Add a sum to itself: a term, two terms, four, and so on."""
    step: list[Any] = [("linear", 1, "w")]
    step += [("add", 2 + n, 2 + n) for n in range(doublings)]
    p = replace(tiny(), step=(*step, ("tanh", len(step) + 1)), arrays={"w": np.zeros((1, 1))})
    return p, certified(p)


class Kind(str):
    __slots__ = ()


class Dict(dict):
    def __iter__(self) -> Any:
        raise RuntimeError("hostile")


class Tuple(tuple):
    __slots__ = ()


BIG = 2.0**20
INT = np.zeros((1, 1), np.int64)
SINGULAR = np.array([[[0.0]]])
LONG = (("tanh", 1),) * (MOST + 1)
NO_TEXT = "name of an array is not a short ASCII text"
CASES: list[tuple[Case, str]] = [
    (lambda: (None, certified(tiny())), "that is not a program"),
    (lambda: subclassed("program"), "that is not a program"),
    (lambda: (tiny(), None), "that is not a certificate"),
    (lambda: subclassed("certificate"), "that is not a certificate"),
    (tampered("program", "digest", lambda: "0"), "fields of the program are not its own"),
    (tampered("program", "inputs", None), "fields of the program are not its own"),
    (tampered("program", 3, "beside"), "fields of the program are not its own"),
    (renamed, "fields of the program are not its own"),
    (tampered("certificate", "depth", None), "fields of the certificate are not its own"),
    (sized(width=MAX_WIDTH + 1), "wider than 1000"),
    (sized(letters=MAX_WIDTH + 1), "wider than 1000"),
    (sized(outputs=MAX_WIDTH + 1), "wider than 1000"),
    (lambda: wide_memory(MAX_WIDTH + 1), "wider than 1000"),
    (
        changed(
            inputs=np.ones((1, MAX_WIDTH + 1)),
            arrays={**tiny().arrays, "v": np.zeros((1, MAX_WIDTH + 1))},
        ),
        "wider than 1000",
    ),
    (lambda: wide_value(MAX_VALUE + 1), "a value of the step is wider than 16000"),
    (lambda: wide_sum(MAX_WIDTH + 1), "a product of the step sums more than 1000 terms"),
    (lambda: doubled_sum(12), "a sum of more than 4000 terms"),
    (changed("parts", readout_weight=np.zeros((1, 2))), "fewer numbers than the hidden vector"),
    (mixed, "arrays differ in dtype"),
    *(
        (changed(**{name: getattr(tiny(), name).astype(np.float32)}), "arrays differ in dtype")
        for name in ("inputs", "start", "readout_weight", "readout_bias")
    ),
    *((array(name, x.astype(np.float32)), "differ in dtype") for name, x in tiny().arrays.items()),
    (changed(threshold=None), "threshold is not a number"),
    (changed(threshold=True), "threshold is not a number"),
    (changed(threshold=float("nan")), "threshold is not a number"),
    (changed(threshold=np.float64(0)), "threshold is not a number"),
    (changed(threshold=BIG * 2), "threshold is not a number from -1048576.0 to 1048576.0"),
    (changed(threshold=2**53 + 1), "threshold is not a number"),
    (lambda: (replace(single(), threshold=0.1), None), "that is not a certificate"),
    (lambda: (replace(single(), threshold=0.1), certified(single())), "not the program's"),
    (
        lambda: (replace(tiny(outputs=2), threshold=0.5), certified(tiny(outputs=2))),
        "the threshold is not the program's",
    ),
    (changed(arrays=None), "the arrays are not a dict"),
    (changed(arrays=[]), "the arrays are not a dict"),
    (changed(arrays=Dict(tiny().arrays)), "the arrays are not a dict"),
    (changed(arrays={f"a{n}": np.zeros(1) for n in range(MOST + 1)}), "the step is not a tuple"),
    (changed(step=list(TRUE["tanh"])), "the step is not a tuple"),
    (changed(step=Tuple(TRUE["tanh"])), "the step is not a tuple"),
    (changed(step=()), "a step of 0 operations"),
    (changed(step=LONG), "a step of 2001 operations: expected 1 to 2000"),
    (stepped(["tanh", 1]), "an operation is not plain"),
    (stepped(Tuple(("tanh", 1))), "an operation is not plain"),
    (stepped((Kind("tanh"), 1)), "an operation is not plain"),
    (stepped(("tanh", True)), "an operation is not plain"),
    (stepped(("tanh", 1.0)), "an operation is not plain"),
    (stepped(("tanh", np.int64(1))), "an operation is not plain"),
    (stepped(("tanh", None)), "an operation is not plain"),
    (stepped(("join", *[1] * MAX_WIDTH)), "an operation is not plain"),
    (stepped(("softmax", 1)), "operation 4 of the step: unknown operation 'softmax'"),
    (stepped(()), "unknown operation ''"),
    (stepped((1, 1)), "unknown operation ''"),
    (stepped(("x" * 10**4, 1)), "unknown operation 'xxxx"),
    (stepped(("tanh",)), "tanh of 0 arguments"),
    (stepped(("join",)), "join of 0 arguments"),
    (stepped(("tanh", 1, 1)), "tanh of 2 arguments"),
    (stepped(("add", 1)), "add of 1 arguments"),
    (stepped(("linear", 1)), "linear of 1 arguments"),
    (stepped(("blend", 1, 1, 1, 1)), "blend of 4 arguments"),
    (stepped(("take", 1, 0)), "take of 2 arguments"),
    (stepped(("tanh", 6)), "tanh reads a value that is not known yet"),
    (stepped(("tanh", -1)), "tanh reads a value that is not known yet"),
    (stepped(("tanh", "w")), "tanh reads a value that is not known yet"),
    (stepped(("tanh", 10**5000)), "tanh reads a value that is not known yet"),
    (stepped(("join", 1, 7)), "join reads a value that is not known yet"),
    (stepped(("add", 1, 6)), "add reads a value that is not known yet"),
    (stepped(("take", 1, 0, 2)), "take of entries that 1 numbers do not have"),
    (stepped(("take", 1, 0, 0)), "take of entries"),
    (stepped(("take", 1, 1, 1)), "take of entries"),
    (stepped(("take", 1, -1, 1)), "take of entries"),
    (stepped(("take", 1, "0", 1)), "take of entries"),
    (stepped(("take", 1, 0, "1")), "take of entries"),
    (stepped(("linear", 1, "x")), "linear by an array that is not there"),
    (stepped(("linear", 1, 1)), "linear by an array that is not there"),
    (stepped(("linear", 1, "b")), "linear of 1 numbers by the array 'b' of shape (1,)"),
    (stepped(("shift", 1, "w")), "shift of 1 numbers by the array 'w' of shape (1, 1)"),
    (stepped(("scale", 4, "b"), kind="parts"), "scale by an array that is not there"),
    (stepped(("shift", 3, "u"), kind="parts"), "shift of 3 numbers by the array 'u'"),
    (stepped(("linear", 1, "u"), kind="parts"), "linear of 1 numbers by the array 'u'"),
    (stepped(("add", 1, 3), kind="parts"), "add of 1 and 3 numbers"),
    (stepped(("blend", 1, 1, 3), kind="parts"), "blend of 1 and 1 and 3 numbers"),
    (changed("parts", step=TRUE["parts"][:2]), "a step returns 3 numbers; the memory has 1"),
    (changed(arrays={}), "linear by an array that is not there"),
    (array(3, np.zeros(1)), NO_TEXT),  # type: ignore[arg-type]
    (array("a b\n", np.zeros(1)), NO_TEXT),
    (array("\ud800", np.zeros(1)), NO_TEXT),
    (array("größe", np.zeros(1)), NO_TEXT),
    (array(Kind("a"), np.zeros(1)), NO_TEXT),
    (array("a" * 201, np.zeros(1)), NO_TEXT),
    (array("unused", np.array([[np.nan]])), "unused holds a value"),
    (array("unused", [1.0]), "unused is not an array"),
    (array("unused", np.zeros(1, int)), "unused has dtype int64"),
    (array("unused", np.zeros((1, 0))), "unused has shape (1, 0)"),
    (array("unused", endless(2**24 + 1)), "unused exceeds the memory budget"),
    (changed(arrays={f"a{n}": endless(2**22) for n in range(5)}), "the arrays exceed the memory"),
    (claimed(dtype="float32"), "another dtype"),
    (claimed(dtype=np.dtype(F8)), "another dtype"),
    (claimed(digest="0" * 64), "another program"),
    (claimed(digest=None), "another program"),
    (lambda: regions(2000), "regions exceed the memory budget"),
    (claimed(shapes=np.full((1, 1), -0.5)), "negative half-width"),
    (one_negative_side, "negative half-width"),
    (claimed(states=np.ones(1, np.int64)), "states holds an index outside 0..0"),
    (claimed(states=np.array([-1])), "states holds an index outside 0..0"),
    (claimed(successors=INT + 1), "successors holds an index outside 0..0"),
    (claimed(successors=INT - 1), "successors holds an index outside 0..0"),
    (changed(next_state=INT + 1), "next_state holds an index outside 0..0"),
    (changed(next_state=INT - 1), "next_state holds an index outside 0..0"),
    (changed(output=INT + 3), "output holds an index outside 0..2"),
    (changed(output=INT - 1), "output holds an index outside 0..2"),
    (one_nan, "b holds a value"),
    *((lambda spoil=spoil: one_index(*spoil), "holds an index outside") for spoil in SPOILT),
    (claimed(start=1), "start is not a number from 0 to 0"),
    (claimed(start=False), "start is not a number from 0 to 0"),
    (claimed(start=0.0), "start is not a number from 0 to 0"),
    (claimed(depth=0), "depth is not a number from 1 to 1000000"),
    (claimed(depth=10**6 + 1), "depth is not a number from 1 to 1000000"),
    (claimed(order=-1), "order is not a number from 0 to 2000"),
    (claimed(order=MAX_ORDER + 1), "order is not a number from 0 to 2000"),
    (claimed(margin=0.0), "margin is not a number"),
    (claimed(margin=2.0**-101), "margin is not a number"),
    (claimed(margin=float("nan")), "margin is not a number"),
    (claimed(margin=BIG * 2), "margin is not a number"),
    (claimed(tanh_ulps=7.99), "tanh_ulps is not a number from 8.0 to 1024.0"),
    (claimed(tanh_ulps=1025.0), "tanh_ulps is not a number from 8.0 to 1024.0"),
    (changed(inputs=[[1.0]]), "inputs is not an array"),
    (changed(inputs=np.ma.masked_array([[1.0]])), "inputs is not an array"),
    (changed(inputs=np.ones((1, 1), np.float16)), "inputs has dtype float16"),
    (changed(inputs=np.ones((1, 1), ">f8")), "inputs has dtype >f8"),
    (changed(inputs=np.ones((1, 1), complex)), "inputs has dtype complex128"),
    (changed(next_state=np.zeros((1, 1), np.int16)), "next_state has dtype int16"),
    (changed(next_state=np.zeros((1, 1), np.uint64)), "next_state has dtype uint64"),
    (changed(inputs=np.ones(1)), "inputs has shape (1,), expected (None, None)"),
    (changed(inputs=np.ones((1, 0))), "inputs has shape (1, 0), expected"),
    (changed(readout_bias=np.ones(2)), "readout_bias has shape (2,), expected (1,)"),
    (array("b", np.zeros(2)), "shift of 1 numbers by the array 'b' of shape (2,)"),
    (claimed(centres=np.zeros((1, 2))), "centres has shape (1, 2), expected (1, 1)"),
    (claimed(shapes=np.zeros((1, 1, 2))), "shapes has shape (1, 1, 2), expected (1, 1, 1)"),
    (changed(inputs=endless(10**9, 10**8)), "inputs exceeds the memory budget"),
    (changed(next_state=endless(2**40, 1, dtype=np.int64)), "next_state exceeds the memory"),
    *(
        (array(name, np.full_like(x, value)), f"{name} holds a value that is not finite, or too")
        for name, x in tiny().arrays.items()
        for value in (np.nan, np.inf, -np.inf, BIG * (1 + 2.0**-52))
    ),
    *(
        (changed(**{name: np.full_like(getattr(tiny(), name), np.nan)}), f"{name} holds a value")
        for name in ("inputs", "start", "readout_weight", "readout_bias")
    ),
    (claimed(centres=np.full((1, 1), np.nan)), "centres holds a value"),
    (claimed(shapes=np.full((1, 1), np.inf)), "shapes holds a value"),
    (claimed(shapes=SINGULAR), "a region's matrix is singular"),
    (claimed(margin=1.5), "margin 1 after 1 letters, 1.5 is claimed"),
    (claimed(shapes=np.zeros((1, 1))), "branches have landed nowhere after 1 letters"),
]


@pytest.mark.parametrize(("build", "because"), CASES)
def test_each_refusal(build: Callable[[], tuple[Any, Any]], because: str) -> None:
    p, c = build()
    verdict = check(p, c)
    assert isinstance(verdict, Rejected)
    assert because in verdict.reason
    assert len(verdict.reason) <= 300


ELSEWHERE = {
    "a region's successor belongs to another machine state",
    "the start region belongs to another state than the first",
    "the check exceeds the work budget",
    "the branches exceed the memory budget",
    "a region's matrix is too ill-conditioned",
    "the values of a step exceed the memory budget",
    "the values of all letters exceed the memory budget",
    "too large for the program's numbers",
}
"""Refusals whose cases are in ``test_obligations`` and ``test_extremes``."""


MODULES = (wellformed, checking, forms)


def refusals(module: Any) -> dict[int, str]:
    """Return the line of each call of ``require`` and each ``raise Refusal``, with its source."""
    tree = ast.parse(Path(module.__file__).read_text())
    return {
        node.lineno: ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("require", "Refusal")
    }


def test_no_refusal_is_without_a_case(monkeypatch: pytest.MonkeyPatch) -> None:
    fired = set()

    class Noted(wellformed.Refusal):
        def __init__(self, reason: str) -> None:
            super().__init__(reason)
            frame: Any = sys._getframe(1)
            while frame.f_code.co_name == "require":
                frame = frame.f_back
            fired.add((Path(frame.f_code.co_filename).name, frame.f_lineno))

    for module in MODULES:
        monkeypatch.setattr(module, "Refusal", Noted, raising=False)
    for build, _ in CASES:
        assert isinstance(check(*build()), Rejected)
    expected = {
        (Path(module.__file__).name, line)
        for module in MODULES
        for line, source in refusals(module).items()
        if source != "Refusal(reason)" and not any(text in source for text in ELSEWHERE)
    }
    assert fired == expected


def test_limits_themselves_are_accepted() -> None:
    """One less would refuse what is sound; one more is refused above."""
    p = tiny()
    c = certified(p)
    for parts in (
        {"order": MAX_ORDER},
        {"depth": 10**6},
        {"margin": 2.0**-100},
        {"tanh_ulps": int(MIN_TANH_ULPS)},
        {"tanh_ulps": 1024.0},
    ):
        assert isinstance(check(p, replace(c, **parts)), Accepted)
    wide = tiny(letters=MAX_WIDTH)
    assert isinstance(check(wide, certified(wide)), Accepted)
    any_digit = replace(p, output=INT + 2)
    assert isinstance(check(any_digit, replace(c, digest=any_digit.digest())), Accepted)
    large = replace(p, readout_bias=np.full(1, BIG))
    assert isinstance(check(large, replace(c, digest=large.digest())), Accepted)
    named = replace(p, arrays={**p.arrays, "a" * 200: np.zeros(1)})
    assert isinstance(check(named, replace(c, digest=named.digest())), Accepted)
    many = {f"a{n}": np.zeros(1) for n in range(MOST - 3)}
    full = replace(p, arrays={**p.arrays, **many})
    assert isinstance(check(full, replace(c, digest=full.digest())), Accepted)
    for side in (-BIG, BIG, 0.5):
        bias = np.full(1, side + 1 if side < BIG else side)
        at = replace(p, threshold=side - (side == BIG), readout_bias=bias)
        assert isinstance(check(at, replace(c, digest=at.digest())), Accepted)
    for build in (
        lambda: wide_value(MAX_VALUE), lambda: wide_sum(MAX_WIDTH),
        lambda: long_sum(MOST - 1), lambda: doubled_sum(11), lambda: long_step(MOST),
        lambda: joined(MAX_WIDTH - 1), lambda: many_states(2**20 + 2), sized(width=250, letters=5),
    ):  # fmt: skip
        assert isinstance(check(*build()), Accepted)
    p, c = wide_memory(MAX_WIDTH)
    assert "centres has shape" in getattr(check(p, c), "reason", "")


def many_states(count: int) -> tuple[Any, Any]:
    """More than a number may be large: indices are no numbers."""
    table = np.zeros((count, 1), np.int64)
    table[0] = count - 1
    table[-1] = 0
    p = replace(tiny(), next_state=table, output=np.ones_like(table))
    c = certified(p)
    both = np.array([0, count - 1])
    return p, replace(
        c, states=both, successors=np.array([[1], [0]]), centres=np.zeros((2, 1)),
        shapes=np.full((2, 1), 0.5),
    )  # fmt: skip


def long_step(operations: int) -> tuple[Any, Any]:
    p = replace(tiny(), step=(("tanh", 1),) * operations, arrays={})
    return p, certified(p)


def joined(parts: int) -> tuple[Any, Any]:
    """Join the memory so many times: with its name that is an operation of so many entries more."""
    step = (("join", *[1] * parts), ("take", 2, 0, 1), ("tanh", 3))
    p = replace(tiny(), step=step, arrays={})
    return p, certified(p)


def test_runs_are_what_can_be_done_at_once() -> None:
    """Activations that do not read one another; all else stands alone, in the record's order."""
    record = (
        ("tanh", 0), ("sigmoid", 1), ("add", 2, 3), ("relu", 4), ("tanh", 2), ("tanh", 5),
        ("add", 2, 3), ("add", 2, 8), ("add", 8, 2),
    )  # fmt: skip
    assert list(batches(record, ACTIVATIONS)) == [[0, 1], [2], [3, 4], [5], [6], [7], [8]]
    assert list(batches(record, ("add",)))[-2:] == [[6], [7, 8]]
    assert list(batches((), ACTIVATIONS)) == []


def test_what_a_value_depends_on() -> None:
    record = (("tanh", 0), ("tanh", 1), ("add", 2, 2), ("add", 3, 1), ("add", 4, 5), ("join", 6, 0))
    letter, memory, both = frozenset({0}), frozenset({1}), frozenset({0, 1})
    assert reads(record) == [letter, memory, letter, memory, letter, memory, both, both]


def test_generators_may_point_anywhere() -> None:
    p = tiny(width=2)
    turned = np.array([[[0.5, -0.5], [-0.5, -0.5]]])
    assert isinstance(check(p, replace(certified(p), shapes=turned)), Accepted)


def test_the_memory_budget_is_counted() -> None:
    p = tiny(letters=100)  # 800 bytes of inputs; a region takes 64
    for memory, accepted in ((800, True), (799, False)):
        verdict = check(p, certified(p), Budget(memory=memory))
        assert ("inputs exceeds" not in getattr(verdict, "reason", "")) == accepted
    p = tiny(width=3, letters=2)
    c = replace(certified(p), states=np.zeros(10, np.int64))
    for memory, accepted in ((64 * 9 * 10, True), (64 * 9 * 10 - 1, False)):
        verdict = check(p, c, Budget(memory=memory))
        assert ("regions exceed" not in getattr(verdict, "reason", "")) == accepted
    arrays = 8 * 8 * (3 + 9 + 3)  # eight copies of each
    for memory, accepted in ((arrays, True), (arrays - 8, False)):
        verdict = check(p, c, Budget(memory=memory))
        assert ("the arrays exceed" not in getattr(verdict, "reason", "")) == accepted
    many = tiny(outputs=20, width=2)
    held = 64 * 20**2 * 2
    verdict = check(many, certified(many), Budget(memory=held - 1))
    assert "regions exceed" in getattr(verdict, "reason", "")
    assert isinstance(check(many, certified(many), Budget(memory=held)), Accepted)


class Hostile:
    """Answers every question with an error."""

    def _fail(self, *_: Any) -> Any:
        raise RuntimeError("hostile")

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __bool__ = __len__ = _fail
    __iter__ = __getitem__ = __str__ = __repr__ = __format__ = __getattr__ = _fail
    __float__ = __int__ = __index__ = __array__ = __abs__ = _fail

    def __hash__(self) -> int:
        return hash("tanh")


class Agreeing:
    """Equal to everything, of every size, and true."""

    ndim, shape, dtype = 3, (1, 1, 1), np.dtype(F8)

    def _agree(self, *_: Any) -> bool:
        return True

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _agree

    def __hash__(self) -> int:
        return hash("tanh")


class Meta(type):
    """Makes its classes equal to all others."""

    def __eq__(cls, other: object) -> bool:
        return True

    __hash__ = type.__hash__


class Text(str):
    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("hostile")

    __hash__ = str.__hash__


class Int(int):
    def __le__(self, other: object) -> bool:
        raise RuntimeError("hostile")


class Array(np.ndarray):
    def __array_ufunc__(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("hostile")

    def __array_finalize__(self, _: Any) -> None:
        pass


class Number(metaclass=Meta):
    def __le__(self, other: object) -> bool:
        return True

    __ge__ = __le__


HOSTILE: list[Any] = [
        Hostile(), Agreeing(), Number(), Hostile, Number, Dict(w=np.zeros((1, 1))), Text("tanh"),
        Tuple((("tanh", 1),)), Int(1), np.zeros((1, 1)).view(Array), np.float64(1), np.int64(0),
        True,
        np.array([np.nan]), np.array(["tanh", "tanh"]), np.array([print], object),
        np.zeros((), F8), np.zeros((1,) * 20), endless(2**20, 2**20, 2**10), np.zeros((1, 0)),
        np.zeros((1, 1), "M8[s]"), np.zeros((1, 1), [("a", F8)]), 10**400, -(10**5000), 1e308,
        float("nan"), "\ud800", "a" * 10**5, {Hostile(): 1}, {Agreeing(): 1}, {Text("a"): 1},
        {"w": Hostile()}, {"w": Agreeing()}, {"w": Text("tanh")}, (Hostile(),), ((Hostile(), 1),),
        (("tanh", Hostile()),), (("tanh", Agreeing()),), ((Text("tanh"), 1),), (("tanh", Int(1)),),
        ((Agreeing(), 1),), (("linear", 1, Hostile()),), (("linear", 1, Text("w")),),
        (("take", 1, 0, Int(1)),), (("join", Agreeing()),), (Agreeing(),), ((),), (("tanh",),),
    ]  # fmt: skip
"""Drawn by number, since whoever draws looks at what he draws."""
ANYTHING = st.one_of(
    st.integers(0, len(HOSTILE) - 1).map(HOSTILE.__getitem__),
    st.recursive(
        st.one_of(
            st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.complex_numbers()
        ),
        lambda inner: st.one_of(
            st.lists(inner), st.dictionaries(st.text(), inner), st.tuples(inner)
        ),
        max_leaves=5,
    ),
    st.builds(
        lambda shape, kind, value: np.full(shape, value).astype(kind),
        st.lists(st.integers(0, 3), max_size=4),
        st.sampled_from(["f4", "f8", ">f8", "i4", "i8", "u8", "f2", "c16", "?", "O", "S3"]),
        st.sampled_from([0, 1, 2, 7]),
    ),
)
FIELDS = {kind: [f.name for f in fields(kind)] for kind in (Program, Certificate)}


OPERATIONS = st.one_of(
    st.tuples(
        st.sampled_from([*ARITY, "join", "x", ""]),
        st.integers(-1, 8),
        st.one_of(st.sampled_from(["w", "v", "b", "u", "x"]), st.integers(-1, 8)),
    ),
    st.lists(st.one_of(st.sampled_from([*ARITY, "w", "b"]), st.integers(-2, 9)), max_size=5).map(
        tuple
    ),
    ANYTHING,
)


@settings(max_examples=200)
@given(
    st.sampled_from(KINDS),
    st.dictionaries(st.sampled_from(FIELDS[Program]), ANYTHING, max_size=2),
    st.dictionaries(st.sampled_from(FIELDS[Certificate]), ANYTHING, max_size=2),
    st.dictionaries(st.sampled_from(["w", "b", "x"]), ANYTHING, max_size=1),
)
def test_whatever_is_given_nothing_is_raised(
    kind: str, parts: Any, claims: Any, other: Any
) -> None:
    p = tiny(kind)
    c = replace(certified(p), **claims)
    parts = {"arrays": {**p.arrays, **other}, **parts} if other else parts
    assert isinstance(check(replace(p, **parts), c), Accepted | Rejected)


@settings(max_examples=300)
@given(st.sampled_from(KINDS), st.integers(0, 7), st.lists(OPERATIONS, max_size=3), st.booleans())
def test_whatever_step_is_given_nothing_is_raised(
    kind: str, place: int, operations: Any, named: bool
) -> None:
    """In the middle of a true step or in its stead, and even where the digest is that of it."""
    p = tiny(kind)
    whole = p.step[:place] + tuple(operations) + p.step[place:]
    broken = replace(p, step=whole)
    c = certified(p)
    verdict = check(broken, c)
    assert isinstance(verdict, Accepted | Rejected)
    reason = getattr(verdict, "reason", "")
    assert "\n" not in reason
    assert len(reason) <= 300
    if named and "another program" in reason:
        assert isinstance(check(broken, certified(broken)), Accepted | Rejected)


@settings(max_examples=100)
@given(ANYTHING, ANYTHING)
def test_neither_record_need_be_one(p: Any, c: Any) -> None:
    assert isinstance(check(p, c), Rejected)
    assert isinstance(check(tiny(), c), Rejected)
    assert isinstance(check(p, certified(tiny())), Rejected)


@pytest.mark.parametrize("name", FIELDS[Program])
@pytest.mark.parametrize("number", range(9))
def test_a_hostile_field_is_refused(name: str, number: int) -> None:
    p = tiny()
    c = certified(p)
    assert isinstance(check(replace(p, **{name: HOSTILE[number]}), c), Rejected)


@pytest.mark.parametrize("name", FIELDS[Certificate])
@pytest.mark.parametrize("number", range(9))
def test_a_hostile_claim_is_refused(name: str, number: int) -> None:
    p = tiny()
    assert isinstance(check(p, replace(certified(p), **{name: HOSTILE[number]})), Rejected)


def test_another_fault_of_the_checker_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise IndexError("a fault")

    monkeypatch.setattr(checking, "_Checker", broken)
    p = tiny()
    with pytest.raises(IndexError, match="a fault"):
        check(p, certified(p))


MIXED = [
    *(
        (name, index, "holds an index outside")
        for name in ("next_state", "output", "states", "successors")
        for index in (-1, 9)
    ),
    *((name, np.nan, "holds a value") for name in ("inputs", "w", "b", "centres")),
    ("shapes", -0.5, "negative half-width"),
]


@pytest.mark.parametrize(("name", "value", "because"), MIXED)
def test_one_bad_entry_among_good_ones_is_refused(name: str, value: float, because: str) -> None:
    """An array of one entry cannot tell its least from its largest, nor any from all."""
    p = tiny(width=2, letters=2)
    none = np.zeros((2, 2), np.int64)
    c = replace(
        certified(p), states=none[0].copy(), successors=none.copy(),
        centres=np.zeros((2, 2)), shapes=np.full((2, 2), 0.5),
    )  # fmt: skip
    assert isinstance(check(p, c), Accepted)
    held = p.arrays if name in p.arrays else vars(p) if hasattr(p, name) else vars(c)
    for at in np.ndindex(held[name].shape):
        spoilt = held[name].copy()
        spoilt[at] = value
        q, d = p, c
        if name in p.arrays:
            q = replace(p, arrays={**p.arrays, name: spoilt})
        elif hasattr(p, name):
            q = replace(p, **{name: spoilt})
        else:
            d = replace(c, **{name: spoilt})
        verdict = check(q, replace(d, digest=q.digest()))
        assert isinstance(verdict, Rejected)
        assert because in verdict.reason
