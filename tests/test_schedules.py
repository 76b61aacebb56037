"""Schedules: their values."""

from __future__ import annotations

from math import sqrt

import pytest

from seqarith.registry import SCHEDULES


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("constant", [1, 1, 1, 1]),
        ("linear", [1, 0.75, 0.5, 0]),
        ("cosine", [1, (1 + sqrt(0.5)) / 2, 0.5, 0]),
    ],
)
def test_values(name: str, values: list[float]) -> None:
    found = [SCHEDULES[name](share) for share in (0, 0.25, 0.5, 1)]
    assert found == pytest.approx(values, abs=1e-15)


@pytest.mark.parametrize("name", list(SCHEDULES))
def test_contract(name: str) -> None:
    """Every schedule begins at the full rate, never rises above it and never falls below 0."""
    factors = [SCHEDULES[name](step / 100) for step in range(101)]
    assert factors[0] == 1
    assert all(0 <= factor <= 1 for factor in factors)
