"""The network around a cell: sizes, the decision that a logit stands for, and exact weights."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import seqarith as sa
from seqarith.cells.elman import Elman
from seqarith.errors import InvalidValueError
from seqarith.network import MAX_HIDDEN, Network, emitted, margins


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
    parameters = network.parameters((2,))
    assert parameters.flat.shape == (2, network.size)
    assert parameters.flat.dtype == dtype
    parameters.flat[...] = np.arange(2 * network.size).reshape(2, -1)
    seen = np.concatenate([k.reshape(2, -1) for k in parameters.kernels.values()], axis=1)
    assert (seen == parameters.flat).all()
    for kernel in parameters.kernels.values():
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
        for found, given_values in zip(model.predict_many(values), values, strict=True):
            assert found.predicted == found.expected == sum(given_values)
            assert found.min_margin > 0


def test_a_carry_travels_a_thousand_digits(adder: sa.Model) -> None:
    found = adder.predict(2**1000 - 1, 1)
    assert found.predicted == 2**1000
    assert adder.predict(-1, 2**1000).predicted == 2**1000 - 1
