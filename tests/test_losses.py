"""Every loss: its gradient is that of its value, and its value is the textbook's."""

from __future__ import annotations

from math import exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqarith.errors import InvalidValueError
from seqarith.losses import (
    REDUCTIONS,
    BinaryCrossEntropy,
    CrossEntropy,
    SquaredError,
    encode,
)
from seqarith.registry import LOSSES

CASES = [
    (name, symbols, reduction)
    for name in LOSSES
    for symbols in (2, 5)
    for reduction in REDUCTIONS
    if (name, symbols) != ("binary_cross_entropy", 5)
]


def logistic(z: float) -> float:
    return 1 / (1 + exp(-z))


def of_one(name: str, logits: list[float], symbol: int) -> float:
    """Return the loss of one step of one word, from its formula in plain Python."""
    if name == "cross_entropy":
        return log(sum(exp(z) for z in logits)) - logits[symbol]
    if name == "binary_cross_entropy":
        chance = logistic(logits[0])
        return -log(chance if symbol else 1 - chance)
    targets = [symbol] if len(logits) == 1 else [int(k == symbol) for k in range(len(logits))]
    return sum((logistic(z) - y) ** 2 / 2 for z, y in zip(logits, targets, strict=True))


@pytest.mark.parametrize(("name", "symbols", "reduction"), CASES)
def test_value_and_gradient(name: str, symbols: int, reduction: str) -> None:
    loss = LOSSES[name](reduction=reduction)
    outputs = loss.outputs(symbols)
    rng = np.random.default_rng(3)
    steps, batch = 4, 3
    logits = rng.normal(0, 3, (steps * batch, outputs))
    right = rng.integers(symbols, size=steps * batch)
    targets = encode(right, outputs, "float64")
    each = [of_one(name, row.tolist(), int(y)) for row, y in zip(logits, right, strict=True)]
    expected = sum(each) / (len(each) if reduction == "mean" else batch)
    assert loss.value(logits, targets, steps) == pytest.approx(expected, rel=1e-12)

    gradient = loss.gradient(logits, targets, steps)
    for place in np.ndindex(logits.shape):
        slope = 0.0
        for sign in (1, -1):
            moved = logits.copy()
            moved[place] += sign * 1e-5
            slope += sign * float(loss.value(moved, targets, steps)) / 2e-5
        assert gradient[place] == pytest.approx(slope, abs=1e-9, rel=1e-6)


@pytest.mark.parametrize(("name", "symbols", "reduction"), CASES)
def test_networks_side_by_side_are_as_one_by_one(name: str, symbols: int, reduction: str) -> None:
    loss = LOSSES[name](reduction=reduction)
    outputs = loss.outputs(symbols)
    rng = np.random.default_rng(4)
    logits = rng.normal(size=(3, 8, outputs))
    targets = encode(rng.integers(symbols, size=(3, 8)), outputs, "float64")
    gradient = loss.gradient(logits, targets, 4)
    values = loss.value(logits, targets, 4)
    assert values.shape == (3,)
    for s in range(3):
        alone = loss.gradient(logits[s], targets[s], 4)
        np.testing.assert_allclose(gradient[s], alone, rtol=1e-13)
        assert values[s] == pytest.approx(loss.value(logits[s], targets[s], 4), rel=1e-13)


@pytest.mark.parametrize("name", list(LOSSES))
@given(size=st.floats(1, 3e4))
def test_logits_of_any_size_stay_finite(name: str, size: float) -> None:
    loss = LOSSES[name]()
    outputs = loss.outputs(2)
    logits = np.full((2, outputs), size, np.float32)
    logits[0] *= -1
    if outputs == 2:
        logits[:, 0] *= -1
    targets = encode(np.array([1, 0]), outputs, "float32")
    assert np.isfinite(loss.gradient(logits, targets, 1)).all()
    assert np.isfinite(loss.value(logits, targets, 1))


def test_encode() -> None:
    assert encode(np.array([[0, 1]]), 1, "float32").tolist() == [[[0.0], [1.0]]]
    hot = encode(np.array([2, 0]), 3, "float64")
    assert hot.tolist() == [[0, 0, 1], [1, 0, 0]]
    assert hot.dtype == np.float64


def test_output_widths() -> None:
    assert BinaryCrossEntropy().outputs(2) == 1
    assert (SquaredError().outputs(2), SquaredError().outputs(3)) == (1, 3)
    assert (CrossEntropy().outputs(2), CrossEntropy().outputs(10)) == (2, 10)


def test_refusals() -> None:
    with pytest.raises(InvalidValueError, match="use cross_entropy"):
        BinaryCrossEntropy().outputs(3)
    for name in LOSSES:
        with pytest.raises(InvalidValueError, match="reduction 'total': expected mean or sum"):
            LOSSES[name](reduction="total")
