"""The induction keeps to its limits; that what it finds is right, the checker decides."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from seqarith.certification.prove import induction
from seqarith.certification.prove.dynamics import Dynamics, MarginBounds, Zonotopes
from seqarith.certification.prove.induction import Branches, Induction, Limits, Regions, overcrowded


def branches(counts: list[int], generators: int = 4, width: int = 2) -> Branches:
    """Return so many branches of every origin."""
    origin = np.repeat(np.arange(len(counts)), counts)
    n = len(origin)
    sets = Zonotopes(np.zeros((n, width)), np.ones((n, generators, width)), np.zeros((n, width)))
    return Branches(np.zeros(n, np.intp), origin, sets)


@pytest.mark.parametrize(
    ("room", "given_up"),
    [(100, []), (12, []), (11, [1]), (5, [1]), (4, [1, 2]), (1, [1, 2, 0])],
)
def test_origins_with_the_most_branches_are_given_up(
    monkeypatch: pytest.MonkeyPatch, room: int, given_up: list[int]
) -> None:
    monkeypatch.setattr(induction, "MAX_NUMBERS", 8 * room)
    gone = overcrowded(branches([2, 7, 3]), 3)
    assert sorted(np.flatnonzero(gone).tolist()) == sorted(given_up)


def test_points_take_no_room() -> None:
    assert not overcrowded(branches([5, 5], generators=0), 2).any()


@pytest.fixture
def run(draw: Any) -> Induction:
    """Regions of no size, into which nothing returns."""
    p = draw(5, 3, 1, "tanh", np.float64)
    free = np.full_like(p.output, 2)  # any digit will do
    regions = Regions(
        np.arange(2),
        p.next_state.astype(np.intp),
        np.zeros((2, 3)),
        np.stack([1e-6 * np.eye(3)] * 2),
    )
    return Induction(Dynamics(p), MarginBounds(p), free, regions)


def test_nothing_that_has_not_landed_counts_as_proved(run: Induction) -> None:
    outcome = run.from_regions(np.arange(2), Limits(depth=3))
    assert outcome.failed.all()
    assert outcome.depth == 3


class Slow:
    """Steps as another does, counts them, and needs until a deadline for each."""

    def __init__(self, cell: Any, deadline: float) -> None:
        self.cell, self.deadline, self.steps = cell, deadline, 0

    def zonotopes(self, sets: Zonotopes) -> list[Zonotopes]:
        self.steps += 1
        time.sleep(max(0.0, self.deadline - time.monotonic()))
        return list(self.cell.zonotopes(sets))


@pytest.mark.parametrize(("seconds", "most"), [(0.3, 1), (-1.0, 0)])
def test_no_step_is_made_after_the_deadline(
    run: Any, monkeypatch: pytest.MonkeyPatch, seconds: float, most: int
) -> None:
    """Two regions, each stepped by itself."""
    monkeypatch.setattr(induction, "CHUNK", 1)
    cell, run.cell = run.cell, Slow(run.cell, 0.0)
    run.from_regions(np.arange(2), Limits(depth=1))
    assert run.cell.steps == 2, "without a deadline both are"
    deadline = time.monotonic() + seconds
    run.cell = Slow(cell, deadline)
    outcome = run.from_regions(np.arange(2), Limits(deadline=deadline))
    assert run.cell.steps <= most
    assert outcome.failed.all()
