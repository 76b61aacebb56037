"""The network around a cell: sizes, the decision that a logit stands for, and exact weights."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import seqarith as sa
from seqarith.cells.elman import Elman
from seqarith.errors import InvalidValueError
from seqarith.formats import MAX_HIDDEN
from seqarith.network import Network, emitted, margins


@pytest.mark.parametrize("hidden", [0, -1, MAX_HIDDEN + 1, 10**12])
def test_hidden_widths_out_of_range(hidden: int) -> None:
    with pytest.raises(InvalidValueError, match=f"hidden width {hidden}: expected 1 to 4096"):
        Network(Elman(), 2, hidden, 1)


@pytest.mark.parametrize("dtype", ["float16", "int8", "", "double"])
def test_dtypes_that_are_none(dtype: str) -> None:
    with pytest.raises(InvalidValueError, match="expected float32 or float64"):
        Network(Elman(), 2, 4, 1, dtype)


@pytest.mark.parametrize(("bias", "size"), [(True, 321), (False, 304)])
def test_size_of_the_usual_network(bias: bool, size: int) -> None:
    assert Network(Elman(bias=bias), 2, 16, 1).size == size


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_parameters_are_one_vector_seen_in_parts(dtype: str) -> None:
    network = Network(Elman(), 2, 3, 1, dtype)
    parameters = network.trainable((2,))
    assert parameters.flat.shape == (2, network.size)
    assert parameters.flat.dtype == dtype
    parameters.flat[...] = np.arange(2 * network.size).reshape(2, -1)
    seen = np.concatenate([k.reshape(2, -1) for k in parameters.arrays.values()], axis=1)
    assert (seen == parameters.flat).all()
    for kernel in parameters.arrays.values():
        np.add(kernel, 1, out=kernel)
    assert parameters.flat[0, 0] == 1


logits_of_three = st.lists(st.floats(-50, 50), min_size=3, max_size=3)


@given(logits_of_three, st.integers(0, 2))
def test_the_largest_logit_decides(logits: list[float], symbol: int) -> None:
    row = np.array([logits])
    assert emitted(row).tolist() == [logits.index(max(logits))]
    others = [logit for k, logit in enumerate(logits) if k != symbol]
    assert margins(row, np.array([symbol])).tolist() == [logits[symbol] - max(others)]


@given(st.floats(-50, 50), st.integers(0, 1))
def test_the_sign_of_one_logit_decides(logit: float, symbol: int) -> None:
    row = np.array([[logit]])
    assert emitted(row).tolist() == [1 if logit > 0 else 0]
    assert margins(row, np.array([symbol])).tolist() == [logit if symbol else -logit]


@given(st.integers(1, 4), st.data())
def test_a_margin_is_above_zero_only_where_the_symbol_is_right(
    outputs: int, data: st.DataObject
) -> None:
    row = np.array([data.draw(st.lists(st.floats(-9, 9), min_size=outputs, max_size=outputs))])
    for symbol in range(max(2, outputs)):
        if margins(row, np.array([symbol]))[0] > 0:
            assert emitted(row)[0] == symbol
        if margins(row, np.array([symbol]))[0] < 0:
            assert emitted(row)[0] != symbol


@pytest.mark.parametrize(("base", "operands"), [(2, 2), (2, 3), (2, 4), (3, 2), (10, 2), (16, 2)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weights_written_by_hand_add(
    make_adder: Callable[..., sa.Model], base: int, operands: int, dtype: str
) -> None:
    model = make_adder(base, operands, dtype)
    source = random.Random(13)
    for width in (1, 5, 40, 1000):
        top = base**width - 1
        values = [[source.randint(-top, top) for _ in range(operands)] for _ in range(4)]
        values += [[top] * operands, [-top] * operands, [top, 1] + [0] * (operands - 2)]
        for found, given_values in zip(
            model.predict(*zip(*values, strict=True)), values, strict=True
        ):
            assert found.predicted == found.expected == sum(given_values)
            assert found.min_margin > 0


def test_a_carry_travels_a_thousand_digits(adder: sa.Model) -> None:
    found = adder.predict(2**1000 - 1, 1)
    assert found.predicted == 2**1000
    assert adder.predict(-1, 2**1000).predicted == 2**1000 - 1


def exported(network: Network) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {name: rng.normal(size=shape) for name, shape in network.exported_shapes().items()}


SPOILT: dict[str, tuple[Callable[[dict[str, Any]], dict[str, Any]], str]] = {
    "a second layer": (lambda a: {**a, "rnn.weight_ih_l1": np.zeros((4, 4))}, "l1' is not used"),
    "a missing array": (lambda a: _without(a, "rnn.bias_hh_l0"), "no array 'rnn.bias_hh_l0'"),
    "a misspelt name": (
        lambda a: {**_without(a, "readout.bias"), "bias": a["readout.bias"]},
        "'bias'",
    ),
    "a column for a vector": (lambda a: {**a, "rnn.bias_ih_l0": np.zeros((4, 1))}, "shape (4, 1)"),
    "a number for a vector": (lambda a: {**a, "rnn.bias_ih_l0": np.float64(1)}, "shape ()"),
    "a matrix on its side": (lambda a: {**a, "readout.weight": np.zeros((4, 1))}, "transpose it"),
    "not a number": (lambda a: {**a, "readout.weight": np.full((1, 4), np.nan)}, "not finite"),
    "infinity": (lambda a: {**a, "readout.weight": np.full((1, 4), np.inf)}, "not finite"),
    "too large": (
        lambda a: {**a, "readout.weight": np.full((1, 4), 1e39)},
        "not finite in float32",
    ),
    "complex numbers": (lambda a: {**a, "readout.bias": np.zeros(1, complex)}, "complex128"),
    "truth values": (lambda a: {**a, "readout.bias": np.zeros(1, bool)}, "dtype bool"),
    "objects": (lambda a: {**a, "readout.bias": np.array([None])}, "dtype object"),
    "large integers": (lambda a: {**a, "readout.bias": np.array([2**24 + 1])}, "float32 rounds"),
}


def _without(arrays: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in arrays.items() if key != name}


@pytest.mark.parametrize("kind", SPOILT)
@pytest.mark.parametrize("cell", ["elman", "gru", "lstm"])
def test_arrays_from_elsewhere_are_used_or_refused(kind: str, cell: str) -> None:
    network = Network(sa.registry.CELLS[cell](), 2, 4, 1)
    arrays = exported(network)
    spoil, message = SPOILT[kind]
    spoilt = spoil(arrays)
    network.absorb(arrays)
    with pytest.raises(sa.errors.InvalidValueError, match=re.escape(message)) as raised:
        network.absorb(spoilt)
    assert len(str(raised.value)) < 300
    assert "\n" not in str(raised.value)


def test_a_readout_may_have_a_bias_beside_a_cell_without() -> None:
    plain = Network(sa.registry.CELLS["elman"](bias=False), 2, 4, 1, "float64")
    arrays = {**exported(plain), "readout.bias": np.array([0.75])}
    with pytest.raises(sa.errors.InvalidValueError, match="readout_bias=True"):
        plain.absorb(arrays)
    network = replace(plain, readout_bias=True)
    parameters = network.absorb(arrays)
    assert network.export(parameters)["readout.bias"].tolist() == [0.75]
    task = sa.registry.TASKS["add"]()
    with_bias = sa.Model(task, network, parameters)
    without = sa.Model(
        task, plain, plain.absorb({k: v for k, v in arrays.items() if k != "readout.bias"})
    )
    word = np.array([[1], [3], [0]])
    both = zip(with_bias.program.run(word), without.program.run(word), strict=True)
    assert all(np.allclose(a - b, 0.75) for a, b in both)


def test_a_network_of_another_readout_bias_survives_its_file(tmp_path: Path) -> None:
    for cell_bias, readout_bias in ((False, True), (True, False)):
        network = Network(
            sa.registry.CELLS["elman"](bias=cell_bias), 2, 4, 1, "float64", readout_bias
        )
        kernels = network.initial(np.random.default_rng(0))
        model = sa.Model(sa.registry.TASKS["add"](), network, network.unpack(kernels))
        model.save(tmp_path / "m.npz")
        loaded = sa.Model.load(tmp_path / "m.npz")
        assert loaded.network == network
        assert loaded.digest == model.digest
