"""Every optimizer against plain Python, number by number."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqarith.errors import InvalidValueError
from seqarith.optimizers import SGD, Adam, Optimizer, RMSProp, clip
from seqarith.registry import OPTIMIZERS


def plain_sgd(p: float, gradients: list[float], rate: float, momentum: float) -> float:
    velocity = 0.0
    for g in gradients:
        velocity = momentum * velocity + g
        p -= rate * velocity
    return p


def plain_nesterov(p: float, gradients: list[float], rate: float, momentum: float) -> float:
    velocity = 0.0
    for g in gradients:
        velocity = momentum * velocity + g
        p -= rate * (g + momentum * velocity)
    return p


def plain_rmsprop(p: float, gradients: list[float], rate: float, decay: float) -> float:
    square = 0.0
    for g in gradients:
        square = decay * square + (1 - decay) * g * g
        p -= rate * g / (sqrt(square) + 1e-8)
    return p


def plain_adam(p: float, gradients: list[float], rate: float, b1: float, b2: float) -> float:
    """Return the parameter by averages with explicit weights, not by recurrence."""
    for n in range(1, len(gradients) + 1):
        seen = gradients[:n]
        mean = sum((1 - b1) * b1 ** (n - 1 - i) * g for i, g in enumerate(seen))
        square = sum((1 - b2) * b2 ** (n - 1 - i) * g * g for i, g in enumerate(seen))
        mean /= 1 - b1**n
        square /= 1 - b2**n
        p -= rate * mean / (sqrt(square) + 1e-8)
    return p


ORACLES: list[tuple[Any, Any]] = [
    (SGD(), lambda p, g, rate: plain_sgd(p, g, rate, 0.0)),
    (SGD(momentum=0.9), lambda p, g, rate: plain_sgd(p, g, rate, 0.9)),
    (SGD(momentum=0.8, nesterov=True), lambda p, g, rate: plain_nesterov(p, g, rate, 0.8)),
    (RMSProp(), lambda p, g, rate: plain_rmsprop(p, g, rate, 0.99)),
    (RMSProp(decay=0.5), lambda p, g, rate: plain_rmsprop(p, g, rate, 0.5)),
    (Adam(), lambda p, g, rate: plain_adam(p, g, rate, 0.9, 0.999)),
    (Adam(beta1=0.5, beta2=0.9), lambda p, g, rate: plain_adam(p, g, rate, 0.5, 0.9)),
]


def named(value: Any) -> str:
    return repr(value) if isinstance(value, Optimizer) else "oracle"


def walk(optimizer: Any, start: Any, gradients: Any, rate: float) -> Any:
    parameters = start.copy()
    memory = optimizer.start(parameters)
    for step, gradient in enumerate(gradients, 1):
        optimizer.update(parameters, gradient.copy(), memory, rate, step)
    return parameters


@pytest.mark.parametrize(("optimizer", "oracle"), ORACLES, ids=named)
def test_many_steps_against_plain_python(optimizer: Any, oracle: Any) -> None:
    rng = np.random.default_rng(5)
    start, gradients = rng.normal(size=6), rng.normal(size=(7, 6))
    reached = walk(optimizer, start, gradients, 0.03)
    for place in range(6):
        expected = oracle(float(start[place]), gradients[:, place].tolist(), 0.03)
        assert reached[place] == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize(
    ("optimizer", "closed_form"),
    [
        (SGD(), lambda g: 0.1 * g),
        (SGD(momentum=0.9), lambda g: 0.1 * g),
        (SGD(momentum=0.9, nesterov=True), lambda g: 0.1 * 1.9 * g),
        (RMSProp(decay=0.75), lambda g: 0.1 * g / (abs(g) / 2 + 1e-8)),
        (Adam(), lambda g: 0.1 * g / (abs(g) + 1e-8)),
    ],
    ids=named,
)
@given(gradient=st.floats(1e-3, 1e3), sign=st.sampled_from([-1, 1]))
def test_first_step_in_closed_form(
    optimizer: Any, closed_form: Any, gradient: float, sign: int
) -> None:
    reached = walk(optimizer, np.array([2.0]), np.array([[sign * gradient]]), 0.1)
    assert 2 - reached[0] == pytest.approx(closed_form(sign * gradient), rel=1e-9)


@pytest.mark.parametrize("name", list(OPTIMIZERS))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_contract(name: str, dtype: str) -> None:
    optimizer = OPTIMIZERS[name]()
    assert optimizer.name == name
    assert optimizer.rate > 0
    parameters = np.ones((2, 4), dtype)
    memory = optimizer.start(parameters)
    assert set(optimizer.slots) <= set(memory)
    assert all(a.shape == (2, 4) and a.dtype == dtype and not a.any() for a in memory.values())
    given_array, arrays = parameters, dict(memory)
    gradient = np.array([[1, -1, 2, 0.5]] * 2, dtype)
    optimizer.update(parameters, gradient, memory, 0.01, 1)
    assert parameters is given_array
    assert all(memory[key] is array for key, array in arrays.items())
    # Against the gradient, for each number on its own.
    assert (np.sign(1 - parameters) == np.sign([1, -1, 2, 0.5])).all()


@pytest.mark.parametrize("name", list(OPTIMIZERS))
def test_memory_is_all_there_is_to_take_up(name: str) -> None:
    """Parameters and slots copied after three steps go on as if nothing had happened."""
    optimizer = OPTIMIZERS[name]()
    rng = np.random.default_rng(6)
    start, gradients = rng.normal(size=5), rng.normal(size=(6, 5))
    whole = walk(optimizer, start, gradients, 0.05)
    parameters, memory = start.copy(), optimizer.start(start)
    for step in (1, 2, 3):
        optimizer.update(parameters, gradients[step - 1].copy(), memory, 0.05, step)
    taken, again = parameters.copy(), optimizer.start(start)
    for slot in optimizer.slots:
        again[slot][...] = memory[slot]
    for step in (4, 5, 6):
        optimizer.update(taken, gradients[step - 1].copy(), again, 0.05, step)
    assert taken.tobytes() == whole.tobytes()


@given(
    st.lists(st.floats(-100, 100), min_size=1, max_size=6),
    st.floats(1e-3, 100),
)
def test_clip(numbers: list[float], limit: float) -> None:
    gradient = np.array(numbers)
    before = gradient.copy()
    norm = sqrt(sum(g * g for g in numbers))
    clip(gradient, limit)
    if norm <= limit:
        np.testing.assert_array_equal(gradient, before)
    else:
        np.testing.assert_allclose(gradient, before * (limit / norm), rtol=1e-12)


def test_clip_takes_networks_side_by_side_each_by_itself() -> None:
    gradient = np.array([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]])
    clip(gradient, 1.0)
    np.testing.assert_allclose(gradient, [[0.6, 0.8], [0.3, 0.4], [0, 0]], rtol=1e-15)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD(momentum=1.0), "momentum 1.0: expected at least 0 and below 1"),
        (lambda: SGD(momentum=-0.1), "momentum -0.1"),
        (lambda: SGD(momentum=float("nan")), "momentum nan"),
        (lambda: SGD(nesterov=True), "nesterov needs momentum"),
        (lambda: RMSProp(decay=1.5), "decay 1.5"),
        (lambda: RMSProp(epsilon=0), "epsilon 0: expected a number above 0"),
        (lambda: Adam(beta1=1), "beta1 1"),
        (lambda: Adam(beta2=-1), "beta2 -1"),
        (lambda: Adam(epsilon=float("inf")), "epsilon inf"),
    ],
)
def test_values_out_of_range(make: Any, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        make()
