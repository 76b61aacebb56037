"""Programs of networks: right where their parts are, and honest about where those are not."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

import seqarith as sa
from seqarith.cells.elman import Elman
from seqarith.compose import Part, distance, multiply
from seqarith.errors import TaskError
from seqarith.network import Network
from seqarith.registry import TASKS


def hand_made(name: str) -> sa.Model:
    """Return a subtractor or comparator of threshold units, exact at every width."""
    task = TASKS[name]()
    steep = 40.0
    if name == "sub":
        # The units say whether b - a + borrow is at least 0, 1, 2.
        network = Network(Elman("sigmoid"), 2, 3, 1, "float64")
        thresholds = np.array([-0.5, 0.5, 1.5])
        weight_ih = steep * np.tile([-1.0, 1.0], (3, 1))
        # A borrow is due where b - a + borrow >= 1: the second unit.
        weight_hh = np.zeros((3, 3))
        weight_hh[:, 1] = steep
        # The digit is 1 where the sum is odd: -1 (no unit is on) or 1 (two are).
        readout, offset = 20 * np.array([[-1.0, 1.0, -1.0]]), np.array([10.0])
    else:
        # One unit says that a is larger, one that b is: each by the last digits that differ.
        network = Network(Elman("sigmoid"), 2, 2, 3, "float64")
        thresholds = np.array([0.5, 0.5])
        weight_ih = steep * np.array([[1.0, -1.0], [-1.0, 1.0]])
        weight_hh = steep * np.eye(2)
        readout = 20 * np.array([[-1.0, 1.0], [-0.5, -0.5], [1.0, -1.0]])
        offset = 20 * np.array([0.0, 0.25, 0.0])
    hidden = len(thresholds)
    arrays = {
        "rnn.weight_ih_l0": weight_ih,
        "rnn.weight_hh_l0": weight_hh,
        "rnn.bias_ih_l0": -steep * thresholds,
        "rnn.bias_hh_l0": np.zeros(hidden),
        "readout.weight": readout,
        "readout.bias": offset,
    }
    return sa.Model(task, network, network.absorb(arrays))


def proved(model: sa.Model) -> sa.Model:
    verdict = sa.certify(model, 10)
    assert isinstance(verdict, sa.Proved)
    return sa.attach(model, verdict.certificate)


@pytest.fixture(scope="module")
def proved_adder(make_adder: Callable[..., sa.Model]) -> sa.Model:
    return proved(make_adder(steepness=20.0))


@pytest.fixture(scope="module")
def subtractor() -> sa.Model:
    return proved(hand_made("sub"))


@pytest.fixture(scope="module")
def comparator() -> sa.Model:
    return proved(hand_made("compare"))


def test_products_of_small_integers(proved_adder: sa.Model) -> None:
    product = multiply(proved_adder)
    for a in range(-9, 10):
        for b in range(-9, 10):
            assert product(a, b) == (sum([a] * b) if b >= 0 else sum([-a] * -b))


def test_products_of_thousands_of_digits(proved_adder: sa.Model) -> None:
    source = random.Random(0)
    product = multiply(proved_adder)
    a, b = (source.randrange(10 ** (digits - 1), 10**digits) for digits in (2000, 150))
    assert product(a, -b) == -a * b
    report = product.report()
    assert report.proved
    assert report.bases[0].wrong == 0
    assert b.bit_length() // 2 < report.bases[0].calls <= 2 * b.bit_length()


def test_distances(comparator: sa.Model, subtractor: sa.Model) -> None:
    between = distance(comparator, subtractor)
    for a in range(20):
        for b in range(20):
            assert between(a, b) == max(a, b) - min(a, b)
    source = random.Random(1)
    a, b = (source.randrange(10**5000) for _ in range(2))
    assert between(a, b) == between(b, a) == abs(a - b)
    assert between(10**5000, 10**5000 - 1) == 1
    assert between.report().proved
    with pytest.raises(TaskError, match="naturals only"):
        between(-1, 3)


def test_report_names_what_it_rests_on(comparator: sa.Model, subtractor: sa.Model) -> None:
    between = distance(comparator, subtractor)
    between(3, 5)
    report = between.report()
    first, second = report.bases
    assert (first.part, first.calls, second.part, second.calls) == ("compare", 1, "subtract", 1)
    assert first.digest == sa.certify(comparator, 10).certificate.digest  # type: ignore[union-attr]
    assert second.digest != first.digest
    text = str(report)
    assert "every network it computes with is proved right at every width" in text
    assert f"compare: a ? b, program {first.digest[:16]}: proved, certificate accepted" in text
    assert "the Python function around them, which no certificate covers" in text


def test_a_part_without_a_certificate_is_not_proved(adder: sa.Model) -> None:
    report = multiply(adder).report()
    assert not report.proved
    assert "NOT every network" in str(report)
    assert "add: a + b, program " in str(report)
    assert "NOT PROVED, it holds no certificate" in str(report)


def test_a_certificate_of_other_weights_is_not_believed(proved_adder: sa.Model) -> None:
    arrays = proved_adder.network.export(proved_adder.parameters)
    arrays["readout.bias"] = arrays["readout.bias"] + 0.25
    moved = replace(proved_adder, parameters=proved_adder.network.absorb(arrays))
    basis = multiply(moved).report().bases[0]
    assert not basis.proved
    assert basis.reason.startswith("certificate rejected: ")


def test_wrong_results_are_counted(wrong_adder: sa.Model) -> None:
    product = multiply(wrong_adder)
    assert product(255, 255) != 255 * 255
    assert product.report().bases[0].wrong > 0


def test_a_part_that_nothing_can_prove(make_random: Callable[..., sa.Model]) -> None:
    def squares(a: int, *, times: Part) -> int:
        return times(a, a)

    composed = sa.compose.Composition(squares, times=make_random(TASKS["mul"](), seed=0))
    composed(3)
    basis = composed.report().bases[0]
    assert (basis.proved, basis.digest, basis.calls) == (False, None, 1)
    assert "no finite-state machine computes a * b" in basis.reason


def test_parts_of_other_tasks_are_refused(adder: sa.Model, subtractor: sa.Model) -> None:
    with pytest.raises(TaskError, match="a model of sub, 2 operands, base 2; expected one of add"):
        multiply(subtractor)
    with pytest.raises(TaskError, match="expected one of compare"):
        distance(adder, subtractor)
    with pytest.raises(TaskError, match="of no model"):
        sa.compose.Composition(lambda a: a)


def test_many_at_once_is_one_by_one(adder: sa.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seqarith.compose.part._LETTERS", 64)
    part = Part(adder)
    pairs = [(a, 3 * a - 50) for a in range(0, 5000, 37)]
    assert part.many(pairs) == [a + b for a, b in pairs]
    assert part.many([]) == []
    assert part.calls == len(pairs)
