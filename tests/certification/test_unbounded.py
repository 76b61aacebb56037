"""Units without an upper bound: proved where the network keeps them bounded, else undecided."""

from __future__ import annotations

import numpy as np
import pytest

import seqarith as sa
from seqarith.network import Network


@pytest.fixture(scope="module")
def adder() -> sa.Model:
    """An adder with ReLU units, proved."""
    result = sa.train("add", seed=2, cell_options={"activation": "relu"})
    assert result.proved
    return result.model


def with_counter(model: sa.Model, factor: float) -> sa.Model:
    """Return the network with one unit more, which nothing reads: c' = factor c + 1."""
    arrays = model.network.export(model.parameters)
    last = model.network.hidden
    network = Network(model.network.cell, 2, last + 1, 1, "float32")
    wider = {name: np.zeros(shape) for name, shape in network.exported_shapes().items()}
    for name, array in arrays.items():
        wider[name][tuple(map(slice, array.shape))] = array
    wider["rnn.weight_hh_l0"][last, last] = factor
    wider["rnn.bias_ih_l0"][last] = 1
    return sa.Model(model.task, network, network.absorb(wider))


def test_a_counter_that_settles_is_proved(adder: sa.Model) -> None:
    verdict = sa.certify(with_counter(adder, 0.5), 30)
    assert isinstance(verdict, sa.Proved)


@pytest.mark.parametrize("factor", [1.0, 1.01])
def test_a_counter_that_grows_is_never_called_proved(adder: sa.Model, factor: float) -> None:
    verdict = sa.certify(with_counter(adder, factor), 3)
    assert isinstance(verdict, sa.Undecided)


def test_a_counter_that_overflows_is_refuted(adder: sa.Model) -> None:
    """Infinity times a weight of 0 is no number, which no digit is read from."""
    verdict = sa.certify(with_counter(adder, 1.5), 20)
    assert isinstance(verdict, sa.Refuted)
    assert 200 < verdict.bits < 300


def test_weights_that_explode_are_refuted_without_a_warning() -> None:
    task, cell = sa.registry.TASKS["add"](), sa.registry.CELLS["elman"]("relu")
    network = Network(cell, 2, 6, 1)
    kernels = network.trainable()
    kernels.flat[...] = np.random.default_rng(0).normal(0, 1.5, network.size)
    model = sa.Model(task, network, network.unpack(kernels))
    assert isinstance(sa.certify(model, 2), sa.Refuted)
    assert sa.trace(model, 2**200, 2**200).predicted != 2**201
    assert not sa.evaluate(model, 4).exact
