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

from seqarith.certification import check as checking
from seqarith.certification import wellformed
from seqarith.certification.certificate import Certificate
from seqarith.certification.check import Accepted, Budget, Rejected, check
from seqarith.certification.program import Program
from seqarith.certification.recurrences import ENCLOSURES, LSTM
from seqarith.certification.wellformed import MAX_NAME, MAX_OPTIONS, MAX_ORDER, MAX_WIDTH

F8 = np.float64
ROOMY = Budget(memory=2**34)


def tiny(cell: str = "elman", width: int = 1, letters: int = 1, outputs: int = 1) -> Program:
    """Return a network of zeros that says 1 whatever it reads, on a machine that does so too."""
    rows, memory = wellformed.GATES.get(cell, 1) * width, width * (1 + (cell == "lstm"))
    kernels = {
        "weight_ih": np.zeros((rows, 1)),
        "weight_hh": np.zeros((rows, width)),
        "bias": np.zeros(rows),
    }
    if cell == "gru":
        kernels["bias_hh"] = np.zeros(width)
    foreign = cell not in ENCLOSURES
    bias = np.where(np.arange(outputs) == min(1, outputs - 1), 1.0, 0.0)
    table = np.zeros((1, letters), np.int64)
    return Program(
        cell,
        {"activation": "tanh"} if cell == "elman" else {"gain": 1.0} if foreign else {},
        np.ones((letters, 1)),
        kernels,
        np.zeros(memory),
        np.zeros((outputs, width)),
        bias,
        table,
        table + 1,
        Zeros if foreign else None,
    )


class Zeros:
    """What encloses a cell of another package: this one's LSTM, of weights that are all 0."""

    def __init__(self, p: Program, tanh_ulps: float, unit: float) -> None:
        width = len(p.start)
        self.inner = LSTM(tiny("lstm", width, len(p.inputs)), tanh_ulps, unit)
        self.width = width

    def spread(self, c: Any, g: Any, e: Any) -> Any:
        return self.inner.spread(*(np.concatenate((x, x), -1) for x in (c, g, e)))

    def step(self, spread: Any, letter: int) -> Any:
        sets = self.inner.step(spread, letter)
        return sets._replace(**{n: getattr(sets, n)[..., : self.width] for n in sets._fields})


def certified(p: Program) -> Certificate:
    """One box around 0, which every step leads into."""
    width, letters = len(p.start), len(p.inputs)
    none = np.zeros((1, letters), np.int64)
    return Certificate(
        Program.digest(p), p.dtype, 4.0, none[:, 0].copy(), none, np.zeros((1, width)),
        np.full((1, width), 0.5), 0, 1, 0, 0.5,
    )  # fmt: skip


CELLS = [*ENCLOSURES, "elsewhere:Cell"]


@pytest.mark.parametrize("cell", CELLS)
def test_what_the_cases_are_made_of_is_accepted(cell: str) -> None:
    p = tiny(cell, 2, 3)
    assert isinstance(check(p, certified(p)), Accepted)


def changed(cell: str = "elman", **parts: Any) -> Callable[[], tuple[Any, Any]]:
    """Return a program with other fields, and the certificate of the one that it was."""

    def build() -> tuple[Any, Any]:
        p = tiny(cell)
        return replace(p, **parts), certified(p)

    return build


def kernel(name: str, value: Any, cell: str = "elman") -> Callable[[], tuple[Any, Any]]:
    return changed(cell, kernels={**tiny(cell).kernels, name: value})


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
    p = tiny("lstm")
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
    spoilt = {**p.kernels, "bias": np.array([0.0, np.nan])}
    return replace(p, kernels=spoilt), certified(p)


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


BIG = 2.0**20
WIDE = np.zeros(MAX_WIDTH + 1)
INT = np.zeros((1, 1), np.int64)
NO_NAME = {"a kernel\n": np.zeros(1)}
SINGULAR = np.array([[[0.0]]])
CASES: list[tuple[Callable[[], tuple[Any, Any]], str]] = [
    (lambda: (None, certified(tiny())), "that is not a program"),
    (lambda: subclassed("program"), "that is not a program"),
    (lambda: (tiny(), None), "that is not a certificate"),
    (lambda: subclassed("certificate"), "that is not a certificate"),
    (tampered("program", "digest", lambda: "0"), "fields of the program are not its own"),
    (tampered("program", "inputs", None), "fields of the program are not its own"),
    (tampered("program", 3, "beside"), "fields of the program are not its own"),
    (tampered("certificate", "depth", None), "fields of the certificate are not its own"),
    (sized(width=MAX_WIDTH + 1), "wider than 1000"),
    (sized(letters=MAX_WIDTH + 1), "wider than 1000"),
    (sized(outputs=MAX_WIDTH + 1), "wider than 1000"),
    (sized(cell="lstm", width=MAX_WIDTH // 2 + 1), "wider than 1000"),
    (
        changed(
            inputs=np.ones((1, MAX_WIDTH + 1)),
            kernels={**tiny().kernels, "weight_ih": np.zeros((1, MAX_WIDTH + 1))},
        ),
        "wider than 1000",
    ),
    (mixed, "arrays differ in dtype"),
    *(
        (changed(**{name: getattr(tiny(), name).astype(np.float32)}), "arrays differ in dtype")
        for name in ("inputs", "start", "readout_weight", "readout_bias")
    ),
    *(
        (kernel(name, x.astype(np.float32)), "arrays differ in dtype")
        for name, x in tiny().kernels.items()
    ),
    (changed(cell=3), "name of the cell is not text"),
    (changed(options=None), "not a dict of names"),
    (changed(options={3: "tanh"}), "not a dict of names"),
    (changed(kernels=[]), "not a dict of names"),
    (changed(options={}), "options of cell elman"),
    (changed(options={"activation": "tanh", "gain": 1.0}), "options of cell elman"),
    (changed("gru", options={"activation": "tanh"}), "options of cell gru"),
    (changed(options={"activation": "relu"}), "unknown activation"),
    (changed(options={"activation": np.array(["tanh", "tanh"])}), "unknown activation"),
    (kernel("more", np.zeros(1)), "not those of the cell"),
    (changed(kernels=dict(reversed(tiny().kernels.items()))), "not those of the cell"),
    (changed("lstm", start=np.zeros(1)), "start has 1 numbers, the cell's memory 2"),
    (changed("elsewhere:Cell", enclosure=None), "no enclosure of cell 'elsewhere:Cell'"),
    (changed("elsewhere:Cell", options={"f": print}), "not a plain value"),
    (changed("elsewhere:Cell", options={"f": 2**63}), "not a plain value"),
    (changed("elsewhere:Cell", options={"f": -(10**5000)}), "not a plain value"),
    (changed("elsewhere:Cell", options={"f": [0] * MAX_OPTIONS}), "not a plain value"),
    (changed("elsewhere:Cell", kernels=NO_NAME), "kernel's name is not"),
    (changed("elsewhere:Cell", kernels={"\ud800": np.zeros(1)}), "kernel's name is not"),
    (changed("elsewhere:Cell", kernels={"größe": np.zeros(1)}), "kernel's name is not"),
    (changed("elsewhere:Cell", kernels={"a" * (MAX_NAME + 1): np.zeros(1)}), "kernel's name is"),
    (kernel("weight_ih", np.array([[np.nan]]), "elsewhere:Cell"), "weight_ih holds a value"),
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
    (one_nan, "bias holds a value"),
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
    (claimed(tanh_ulps=3.99), "tanh_ulps is not a number from 4.0 to 1024.0"),
    (claimed(tanh_ulps=1025.0), "tanh_ulps is not a number from 4.0 to 1024.0"),
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
    (kernel("bias", np.zeros(2)), "bias has shape (2,), expected (1,)"),
    (claimed(centres=np.zeros((1, 2))), "centres has shape (1, 2), expected (1, 1)"),
    (claimed(shapes=np.zeros((1, 1, 2))), "shapes has shape (1, 1, 2), expected (1, 1, 1)"),
    (changed(inputs=endless(10**9, 10**8)), "inputs exceeds the memory budget"),
    (changed(next_state=endless(2**40, 1, dtype=np.int64)), "next_state exceeds the memory"),
    *(
        (kernel(name, np.full_like(x, value)), f"{name} holds a value that is not finite, or too")
        for name, x in tiny().kernels.items()
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
}
"""Messages of ``check.py`` whose cases are in ``test_obligations``."""


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

    for module in (wellformed, checking):
        monkeypatch.setattr(module, "Refusal", Noted)
    for build, _ in CASES:
        assert isinstance(check(*build()), Rejected)
    expected = {
        (Path(module.__file__).name, line)
        for module in (wellformed, checking)
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
        {"tanh_ulps": 4},
        {"tanh_ulps": 1024.0},
    ):
        assert isinstance(check(p, replace(c, **parts)), Accepted)
    wide = tiny(letters=MAX_WIDTH)
    assert isinstance(check(wide, certified(wide)), Accepted)
    any_digit = replace(p, output=INT + 2)
    assert isinstance(check(any_digit, replace(c, digest=any_digit.digest())), Accepted)
    large = replace(p, readout_bias=np.full(1, BIG))
    assert isinstance(check(large, replace(c, digest=large.digest())), Accepted)
    name = {"a" * MAX_NAME: np.zeros(1)}
    most = {"f": [2**63 - 1] * (MAX_OPTIONS - 7), "g": 1.5, "h": (None, "a", True)}
    most["f"].append(1 - 2**63)  # one value too many, with the dict and what it holds
    other = replace(tiny("elsewhere:Cell"), options=dict(most))
    assert "plain" in getattr(check(other, certified(tiny("elsewhere:Cell"))), "reason", "")
    most["f"].pop(0)
    other = replace(tiny("elsewhere:Cell"), kernels=name, options=most)
    assert isinstance(check(other, certified(other)), Accepted)


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
    c = certified(p)
    for memory, accepted in ((64 * 9, True), (64 * 9 - 1, False)):
        verdict = check(p, c, Budget(memory=memory))
        assert ("regions" not in getattr(verdict, "reason", "")) == accepted
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
        return hash("activation")


class Agreeing:
    """Equal to everything, of every size, and true."""

    ndim, shape, dtype = 3, (1, 1, 1), np.dtype(F8)

    def _agree(self, *_: Any) -> bool:
        return True

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _agree

    def __hash__(self) -> int:
        return hash("activation")


class Meta(type):
    """Makes its classes equal to all others."""

    def __eq__(cls, other: object) -> bool:
        return True

    __hash__ = type.__hash__


class Dict(dict):
    def __iter__(self) -> Any:
        raise RuntimeError("hostile")


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
        Hostile(), Agreeing(), Number(), Hostile, Number, Dict(activation="tanh"), Text("tanh"),
        Text("elman"), Int(1), np.zeros((1, 1)).view(Array), np.float64(1), np.int64(0), True,
        np.array([np.nan]), np.array(["tanh", "tanh"]), np.array([print], object),
        np.zeros((), F8), np.zeros((1,) * 20), endless(2**20, 2**20, 2**10), np.zeros((1, 0)),
        np.zeros((1, 1), "M8[s]"), np.zeros((1, 1), [("a", F8)]), 10**400, -(10**5000), 1e308,
        float("nan"), "\ud800", "a" * 10**5, {Hostile(): 1}, {Agreeing(): 1}, {Text("a"): 1},
        {"activation": Hostile()}, {"activation": Agreeing()}, {"activation": Text("tanh")},
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


@settings(max_examples=200)
@given(
    st.sampled_from(CELLS),
    st.dictionaries(st.sampled_from(FIELDS[Program]), ANYTHING, max_size=2),
    st.dictionaries(st.sampled_from(FIELDS[Certificate]), ANYTHING, max_size=2),
    st.dictionaries(st.sampled_from(["weight_ih", "bias", "x"]), ANYTHING, max_size=1),
)
def test_whatever_is_given_nothing_is_raised(
    cell: str, parts: Any, claims: Any, other: Any
) -> None:
    p = tiny(cell)
    c = replace(certified(p), **claims)
    parts = {"kernels": {**p.kernels, **other}, **parts} if other else parts
    assert isinstance(check(replace(p, **parts), c), Accepted | Rejected)


@settings(max_examples=100)
@given(ANYTHING, ANYTHING)
def test_neither_record_need_be_one(p: Any, c: Any) -> None:
    assert isinstance(check(p, c), Rejected)
    assert isinstance(check(tiny(), c), Rejected)
    assert isinstance(check(p, certified(tiny())), Rejected)


@pytest.mark.parametrize("name", FIELDS[Program])
@pytest.mark.parametrize("number", range(9))
def test_a_hostile_field_is_refused(name: str, number: int) -> None:
    p = tiny("elsewhere:Cell" if name == "enclosure" else "elman")
    c = certified(p)
    assert isinstance(check(replace(p, **{name: HOSTILE[number]}), c), Rejected)


@pytest.mark.parametrize("name", FIELDS[Certificate])
@pytest.mark.parametrize("number", range(9))
def test_a_hostile_claim_is_refused(name: str, number: int) -> None:
    p = tiny()
    assert isinstance(check(p, replace(certified(p), **{name: HOSTILE[number]})), Rejected)


class Nameless:
    """An enclosure that fails, and whose name and error fail when they are asked for."""

    def __call__(self, *_: Any) -> Any:
        class Unspeakable(Exception):  # noqa: N818
            def __str__(self) -> str:
                raise RuntimeError("hostile")

        raise Unspeakable

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("hostile")

    def __repr__(self) -> str:
        raise RuntimeError("hostile")


def test_an_enclosure_that_cannot_even_be_named_rejects() -> None:
    p = replace(tiny("elsewhere:Cell"), enclosure=Nameless())
    verdict = check(p, certified(p))
    assert isinstance(verdict, Rejected)
    assert verdict.reason == "the enclosure of no name failed: Unspeakable"


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
    *((name, np.nan, "holds a value") for name in ("inputs", "weight_ih", "centres")),
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
    held = p.kernels if name in p.kernels else vars(p) if hasattr(p, name) else vars(c)
    for at in np.ndindex(held[name].shape):
        spoilt = held[name].copy()
        spoilt[at] = value
        q, d = p, c
        if name in p.kernels:
            q = replace(p, kernels={**p.kernels, name: spoilt})
        elif hasattr(p, name):
            q = replace(p, **{name: spoilt})
        else:
            d = replace(c, **{name: spoilt})
        verdict = check(q, replace(d, digest=q.digest()))
        assert isinstance(verdict, Rejected)
        assert because in verdict.reason
