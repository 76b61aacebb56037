"""For each obligation of a certificate one that violates it alone, and is refused for that."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from seqarith.certification.certificate import Certificate
from seqarith.certification.check import Accepted, Budget, Rejected, _Branches, _Checker, check
from seqarith.certification.outward import Sets
from seqarith.certification.program import Program

REST = np.tanh(1.0), np.tanh(np.tanh(1.0)), np.tanh(np.tanh(np.tanh(1.0)))
"""Where the chain comes to rest after three letters, from zeros."""


def chain(dip: float = 0.5, letters: int = 1, states: int = 1) -> Program:
    """Return a network in which a number goes from unit to unit, whatever is read.

    From the start the logits are 1, 1 - dip, and from then on 1. The machine goes round its
    states and says 1 in all of them.
    """
    weight = np.zeros((3, 3))
    weight[1, 0] = weight[2, 1] = 1
    table = np.tile(np.arange(1, states + 1)[:, None] % states, (1, letters))
    return Program(
        "elman",
        {"activation": "tanh"},
        np.zeros((letters, 1)),
        {"weight_ih": np.zeros((3, 1)), "weight_hh": weight, "bias": np.array([1.0, 0, 0])},
        np.zeros(3),
        np.array([[0, -dip / REST[1], dip / REST[2]]]),
        np.ones(1),
        table,
        np.ones((states, letters), np.int64),
    )


def proof(p: Program, **claims: Any) -> Certificate:
    """One box for each state, all at the point of rest, where a run is after three letters."""
    states, at = len(p.next_state), np.array([REST])
    honest = Certificate(
        p.digest(), p.dtype, 4.0, np.arange(states), p.next_state.copy(), at.repeat(states, 0),
        np.full((states, 3), 1e-3), 0, 3, 10, 0.1,
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
    assert_refused(p, prove(p, tanh_ulps=np.nextafter(4.0, 0)), "tanh_ulps is not a number")
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
    # Numbers in a branch, from the order and twice the width, times the width: that is the least.
    assert exactly > verdict.steps * ((10 + 2 * 3) * 3) * 3
    assert isinstance(check(p, proof(p), Budget(work=exactly)), Accepted)
    assert_refused(p, proof(p), "exceeds the work budget", Budget(work=exactly - 1))
    assert_refused(p, proof(p), "branches exceed the memory budget", Budget(memory=2**10))


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
