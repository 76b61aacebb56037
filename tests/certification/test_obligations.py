"""For each obligation of a certificate one that violates it alone, and is refused for that."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from seqarith.certification.kernel.certificate import Certificate
from seqarith.certification.kernel.check import (
    Accepted,
    Budget,
    Rejected,
    _Branches,
    _Checker,
    check,
)
from seqarith.certification.kernel.outward import Sets
from seqarith.certification.kernel.program import Program
from seqarith.certification.kernel.wellformed import MIN_TANH_ULPS

REST = np.tanh(1.0), np.tanh(np.tanh(1.0)), np.tanh(np.tanh(np.tanh(1.0)))
"""Where the chain comes to rest after three letters, from zeros."""


STEP = (("linear", 1, "w"), ("linear", 0, "v"), ("shift", 2, "b"), ("add", 4, 3), ("tanh", 5))


def chain(dip: float = 0.5, letters: int = 1, states: int = 1) -> Program:
    """Return a network in which a number goes from unit to unit, whatever is read.

    From the start the logits are 1, 1 - dip, and from then on 1. The machine goes round its
    states and says 1 in all of them.
    """
    weight = np.zeros((3, 3))
    weight[1, 0] = weight[2, 1] = 1
    table = np.tile(np.arange(1, states + 1)[:, None] % states, (1, letters))
    return Program(
        step=(
            ("linear", 1, "w"),
            ("linear", 0, "v"),
            ("shift", 2, "b"),
            ("add", 4, 3),
            ("tanh", 5),
        ),
        arrays={"v": np.zeros((3, 1)), "w": weight, "b": np.array([1.0, 0, 0])},
        inputs=np.zeros((letters, 1)),
        start=np.zeros(3),
        readout_weight=np.array([[0, -dip / REST[1], dip / REST[2]]]),
        readout_bias=np.ones(1),
        threshold=0.0,
        next_state=table,
        output=np.ones((states, letters), np.int64),
    )


def proof(p: Program, **claims: Any) -> Certificate:
    """One box for each state, all at the point of rest, where a run is after three letters."""
    states, at = len(p.next_state), np.array([REST])
    honest = Certificate(
        p.digest(), p.dtype, MIN_TANH_ULPS, np.arange(states), p.next_state.copy(),
        at.repeat(states, 0), np.full((states, 3), 1e-3), 0, 3, 10, 0.1,
    )  # fmt: skip
    return replace(honest, **claims)


def parallelotopes(p: Program, **claims: Any) -> Certificate:
    return proof(p, shapes=np.tile(np.eye(3) * 1e-3, (len(p.next_state), 1, 1)), **claims)


def assert_refused(p: Program, c: Certificate, because: str, budget: Budget | None = None) -> None:
    verdict = check(p, c, budget or Budget())
    assert isinstance(verdict, Rejected)
    assert because in verdict.reason, verdict


BOTH = pytest.mark.parametrize("prove", [proof, parallelotopes])


@BOTH
@pytest.mark.parametrize("states", [1, 2, 3])
def test_honest_proofs_are_accepted(prove: Any, states: int) -> None:
    p = chain(states=states, letters=2)
    verdict = check(p, prove(p))
    assert isinstance(verdict, Accepted)
    assert verdict.depth == 3
    assert verdict.margin == pytest.approx(0.5, abs=1e-2)
    # Regions land at once; from the start there are as many ways as words.
    assert verdict.steps == 2 * (states + 1) + 2 * 2 + 2 * 4


@BOTH
@pytest.mark.parametrize(("region", "letter"), list(product(range(3), range(2))))
def test_a_successor_of_another_state(prove: Any, region: int, letter: int) -> None:
    """The regions are all at one place, so that every set lands and every margin holds."""
    p = chain(states=3, letters=2)
    honest = prove(p)
    successors = honest.successors.copy()
    successors[region, letter] = (successors[region, letter] + 1) % 3
    c = replace(honest, successors=successors)
    assert_refused(p, c, "a region's successor belongs to another machine state")


@BOTH
@pytest.mark.parametrize("start", [1, 2])
def test_a_start_in_another_state(prove: Any, start: int) -> None:
    p = chain(states=3)
    assert_refused(p, prove(p, start=start), "start region belongs to another state than the first")


@BOTH
def test_a_way_that_is_longer_than_claimed(prove: Any) -> None:
    p = chain()
    assert_refused(p, prove(p, depth=2), "1 branches have landed nowhere after 2 letters")
    assert isinstance(check(p, prove(p, depth=4)), Accepted)


@BOTH
@pytest.mark.parametrize("unit", range(3))
def test_regions_that_no_run_comes_back_to(prove: Any, unit: int) -> None:
    """One coordinate of one region is beside where runs are: they never land."""
    p = chain()
    centres = np.array([REST])
    centres[0, unit] += 3e-3
    assert_refused(p, prove(p, centres=centres), "landed nowhere")


@BOTH
def test_a_margin_that_one_step_does_not_keep(prove: Any) -> None:
    """After the second letter from the start alone: no region, and no other step, is near it."""
    p = chain(dip=2.0)
    assert_refused(p, prove(p), "margin -1 after 2 letters, 0.1 is claimed")
    p = chain(dip=0.95)
    assert_refused(p, prove(p), "margin 0.05 after 2 letters, 0.1 is claimed")
    assert isinstance(check(p, prove(p, margin=0.04)), Accepted)


@BOTH
def test_a_margin_that_is_claimed_too_large_by_one_float(prove: Any) -> None:
    p = chain()
    verdict = check(p, prove(p))
    assert isinstance(verdict, Accepted)
    assert check(p, prove(p, margin=verdict.margin)) == verdict
    assert_refused(p, prove(p, margin=float(np.nextafter(verdict.margin, 1))), "is claimed")


@BOTH
def test_a_digit_that_is_wrong_in_one_state_under_one_letter(prove: Any) -> None:
    p = chain(states=2, letters=3)
    for index in np.ndindex(p.output.shape):
        output = p.output.copy()
        output[index] = 0
        wrong = replace(p, output=output)
        assert_refused(wrong, prove(wrong), "margin -")
        output[index] = 2  # any digit will do
        free = replace(p, output=output)
        assert isinstance(check(free, prove(free)), Accepted)


@BOTH
def test_claims_that_are_about_something_else(prove: Any) -> None:
    p = chain()
    digest = p.digest()
    other = ("0" if digest[0] != "0" else "1") + digest[1:]
    assert_refused(p, prove(p, digest=other), "speaks of another program")
    assert_refused(p, prove(p, dtype="float32"), "speaks of another dtype")
    assert_refused(
        p, prove(p, tanh_ulps=float(np.nextafter(MIN_TANH_ULPS, 0))), "tanh_ulps is not a number"
    )
    moved = replace(p, readout_bias=np.nextafter(p.readout_bias, 2))
    assert_refused(moved, prove(p), "speaks of another program")
    assert isinstance(check(moved, prove(moved)), Accepted)


def test_matrices_whose_inverse_is_not_good_enough() -> None:
    p = chain()
    body = np.eye(3)
    body[0], body[1] = [1, 1, 0], [1, 1 + 2.0**-40, 0]
    assert_refused(p, proof(p, shapes=body[None]), "too ill-conditioned")
    body[1] = body[0]
    assert_refused(p, proof(p, shapes=body[None]), "singular")


def test_budgets() -> None:
    p = chain(letters=30)
    spent: list[float] = []
    whole = Budget(work=2.0**40)
    verdict = check(p, proof(p), whole, lambda share, text: spent.append(share))
    assert isinstance(verdict, Accepted)
    exactly = spent[-1] * whole.work
    assert isinstance(check(p, proof(p), Budget(work=exactly)), Accepted)
    assert_refused(p, proof(p), "exceeds the work budget", Budget(work=exactly - 1))
    values = 16 * (10 + 2 * 3) * (1 + 3 + 5 * 3)
    short = Budget(memory=values - 1)
    assert_refused(p, proof(p), "the values of a step exceed the memory budget", short)
    letters = 256 * p.letters * (1 + 3)  # of the letter and what a matrix makes of it
    short = Budget(memory=max(values, letters - 1))
    assert_refused(p, proof(p), "the values of all letters exceed the memory budget", short)
    fitting = Budget(memory=max(values, letters))
    assert_refused(p, proof(p), "branches exceed the memory budget", fitting)


@pytest.mark.parametrize("letters", [1, 2])
def test_the_work_of_a_check_is_that_of_its_steps(letters: int) -> None:
    """A batch costs 400,000, a set 2,000, each number of a value 5, for each of its symbols."""
    p, spent = chain(letters=letters), list[float]()
    whole = Budget(work=2.0**40)
    assert isinstance(check(p, proof(p), whole, lambda share, text: spent.append(share)), Accepted)
    symbols = 10 + 2 * 3  # generators, and two boxes, of three numbers each
    numbers, products = 1 + 3 + 5 * 3, 3 * 3 + 3 * 1
    each = 2_000 + symbols * (products + 5 * numbers)
    branches = [2, letters, letters**2]
    worked = [letters * (400_000 + count * each) for count in branches]
    assert np.allclose(np.array(spent) * whole.work, np.cumsum(worked), rtol=1e-12)


def test_progress_tells_where_a_check_is() -> None:
    p, told = chain(letters=2), list[str]()
    assert isinstance(check(p, proof(p), progress=lambda share, text: told.append(text)), Accepted)
    assert told == ["2 sets, letter 1", "2 sets, letter 2", "4 sets, letter 3"]


def bytes_of(branches: int, generators: int, arrays: int) -> int:
    """Return what so many sets take, in so many pieces: a region, a box and generators each."""
    return 600 * arrays + 8 * branches * (1 + 2 * 3 + generators * 3)


def test_the_memory_of_a_check_is_counted_to_the_byte() -> None:
    """All that is held, and twice what goes on, since it is joined: the last letter but one."""
    p = chain(letters=3)
    # Sets of the start: 1, 3, 9; a set has three symbols more after each letter, up to ten.
    # So little memory makes batches of two sets, so that three are two batches of three letters.
    letter_2 = bytes_of(3, 3, 1) + 2 * bytes_of(9, 6, 2 * 3)
    assert letter_2 > bytes_of(2, 0, 1) + 2 * bytes_of(3, 3, 3)
    assert letter_2 // (16 * (10 + 2 * 3) * (1 + 3 + 5 * 3)) == 2
    assert isinstance(check(p, proof(p), Budget(memory=letter_2)), Accepted)
    refused = Budget(memory=letter_2 - 1)
    assert_refused(p, proof(p), "branches exceed the memory budget", refused)


def still(letters: int, widths: int, regions: int) -> tuple[Program, Certificate]:
    """Return a network whose step keeps zeros, after values that nobody needs; boxes of a point."""
    step = [("linear", 1, "u"), ("linear", 0, "v"), ("add", 2, 3), *[("tanh", 4)] * widths]
    table = np.zeros((1, letters), np.int64)
    p = Program(
        step=(*step, ("take", 1, 0, 4)),
        arrays={"u": np.zeros((100, 4)), "v": np.zeros((100, 1))},
        inputs=np.zeros((letters, 1)),
        start=np.zeros(4),
        readout_weight=np.zeros((1, 4)),
        readout_bias=np.ones(1),
        threshold=0.0,
        next_state=table,
        output=table + 1,
    )
    c = Certificate(
        p.digest(), p.dtype, MIN_TANH_ULPS, np.zeros(regions, int),
        np.zeros((regions, letters), int), np.zeros((regions, 4)), np.zeros((regions, 4)),
        0, 1, 50, 0.5,
    )  # fmt: skip
    return p, c


def test_a_point_lands_in_a_region_of_no_size() -> None:
    p, c = still(2, 1, 3)
    verdict = check(p, c)
    assert isinstance(verdict, Accepted)
    assert verdict.steps == 2 * 4


def test_the_values_of_a_step_take_no_more_memory_than_the_budget() -> None:
    """Where the sets of a batch would take more, it has fewer of them: here two."""
    p, c = still(1, 40, 100)
    budget = Budget(memory=2**23)
    batches: list[float] = []
    verdict = check(p, c, budget, lambda share, text: batches.append(share))
    assert isinstance(verdict, Accepted)
    assert len(batches) == 51
    tracemalloc.start()
    try:
        assert isinstance(check(p, c, budget), Accepted)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= budget.memory
    roomy: list[float] = []
    check(p, c, Budget(memory=2**36), lambda share, text: roomy.append(share))
    assert len(roomy) == 1


@pytest.mark.parametrize("sets", [2, 3, 7, 127, 128, 129, 1000])
def test_a_batch_has_as_many_sets_as_the_memory_holds(sets: int) -> None:
    """Twice the values of its step for each of its symbols; 128 sets at most fit the cache."""
    p, c = still(3, 2, 299)
    widths = 5 * 100 + 1 + 2 * 4  # of five values of the step, the letter, the memory, the last
    one = 16 * (50 + 2 * 4) * widths
    for memory, fitting in ((one * sets, sets), (one * sets - 1, sets - 1)):
        batches: list[str] = []
        check(p, c, Budget(memory=memory), lambda share, text, seen=batches: seen.append(text))
        assert len(batches) == -(-300 // min(fitting, 128))


def test_letters_read_at_once_take_no_more_memory_than_the_budget() -> None:
    p, c = still(200, 20, 3)
    budget = Budget(memory=2**23)
    assert isinstance(check(p, c, budget), Accepted)
    tracemalloc.start()
    try:
        check(p, c, budget)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= budget.memory


@pytest.mark.parametrize(("regions", "at_once"), [(1, [2, 2, 1]), (3, [1] * 5), (9, [1] * 5)])
@pytest.mark.parametrize("boxes", [True, False])
def test_large_sets_are_stepped_letter_by_letter(
    monkeypatch: pytest.MonkeyPatch, boxes: bool, regions: int, at_once: list[int]
) -> None:
    """Sets of 40,000 numbers in all: four letters of small ones, of larger ones less."""
    p, c = still(5, 1, regions)
    read: list[int] = []
    for width, expected in ((100 if boxes else 70, at_once), (4, [4, 1])):
        step = (("take", 1, 0, width),)
        q = replace(p, step=step, arrays={}, start=np.zeros(width))
        q = replace(q, readout_weight=np.zeros((1, width)))
        body = np.full((regions, width), 1e-3)
        if not boxes:
            body = np.repeat(np.eye(width)[None] * 1e-3, regions, 0)
        d = replace(c, digest=q.digest(), centres=np.zeros((regions, width)), shapes=body, order=0)
        checker = _Checker(q, d, Budget())
        steps = checker.cell.steps
        read.clear()

        def noted(spread: Any, letters: range, steps: Any = steps) -> Any:
            read.append(len(letters))
            return steps(spread, letters)

        monkeypatch.setattr(checker.cell, "steps", noted)
        with np.errstate(all="ignore"):
            checker._step(checker._roots(), 1, [])
        assert read == expected


def test_a_check_takes_about_a_minute_by_default() -> None:
    assert Budget() == Budget(work=1e11, memory=2**30)


def deep(p: Program) -> Certificate:
    """Return a certificate whose sets never land: rounding alone is more than its regions hold."""
    return proof(p, shapes=np.zeros((1, 3)), depth=10**6)


def test_sets_that_never_land_take_no_more_memory_than_the_budget() -> None:
    p = chain(letters=4)
    budget = Budget(memory=2**23)
    check(p, proof(p), budget)  # what is loaded once does not count
    tracemalloc.start()
    try:
        assert_refused(p, deep(p), "branches exceed the memory budget", budget)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert 2**22 < peak <= budget.memory


def test_the_memory_of_a_branch_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counting all branches again for each batch takes the square of their number."""
    counted, batches, held = 0, 0, _Branches.held

    def count(self: _Branches) -> int:
        nonlocal counted
        counted += 1
        return held(self)

    def step(share: float, text: str) -> None:
        nonlocal batches
        batches += 1

    monkeypatch.setattr(_Branches, "held", count)
    p = chain(letters=4)
    assert isinstance(check(p, deep(p), Budget(memory=2**25), step), Rejected)
    assert batches > 100
    assert counted <= (1 + 4) * batches


@BOTH
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nothing_lands_that_is_not_finite(prove: Any, value: float) -> None:
    """By itself, and not because the margin, which is read before, is not a number either."""
    p = chain()
    checker = _Checker(p, prove(p), Budget())
    at, none = np.array([REST]), np.zeros((1, 3))
    good = Sets(at, np.zeros((1, 2, 3)), none, at.copy(), at.copy())
    to = np.zeros(1, int)
    assert checker._lands(good, to)[0]
    with np.errstate(all="ignore"):
        for name in Sets._fields:
            spoilt = getattr(good, name).copy()
            spoilt[..., -1] = value
            assert not checker._lands(good._replace(**{name: spoilt}), to)[0], name
        rows = np.zeros((1, 2, 3))
        rows[0, :, 0] = np.inf, -np.inf
        assert not checker._lands(good._replace(g=rows), to)[0]
