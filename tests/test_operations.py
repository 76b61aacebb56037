"""The operations of tapes: sums over steps in parts, and which steps are prepared when."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from seqarith.cells.activations import run
from seqarith.cells.tapes import gru, operations
from seqarith.cells.tapes.operations import at_once, gradient, group, padded, product, spread
from seqarith.errors import InvalidValueError
from seqarith.network import Network
from seqarith.network.unroll import Unroll
from seqarith.registry import CELLS

T, B, D, H, K = 7, 3, 2, 4, 2


@pytest.mark.parametrize("padding", [0, 3])
@pytest.mark.parametrize("partial_sums", [1, 50, 10**6])
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("leading", [(), (2,)])
def test_gradient_is_the_sum_over_steps_and_words(
    leading: tuple[int, ...],
    batch: int,
    partial_sums: int,
    padding: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(operations, "PARTIAL_SUMS", partial_sums)
    rng = np.random.default_rng(0)
    read = rng.normal(size=(*leading, T, 5 + padding, batch))
    deltas = rng.normal(size=(*leading, T, 4, batch))
    out = np.full((*leading, 5, 4), np.nan)
    expected = np.einsum("...tnb,...tpb->...np", read[..., :5, :], deltas)
    written = gradient(read, deltas, out)
    for _ in range(2):  # the second time as the first: nothing is left over
        run(written)
        assert np.allclose(out, expected, atol=1e-13)


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("leading", [(), (2,)])
def test_spread_is_the_outer_product(leading: tuple[int, ...], outputs: int) -> None:
    rng = np.random.default_rng(1)
    weight = rng.normal(size=(*leading, H, outputs))
    by_logits = rng.normal(size=(*leading, T, outputs, B))
    out = np.full((*leading, T, H, B), np.nan)
    spread(weight, by_logits, out)()
    assert np.allclose(out, np.einsum("...hk,...tkb->...thb", weight, by_logits), atol=1e-14)


@pytest.mark.parametrize("leading", [(), (2,)])
def test_product_writes_where_it_is_told(leading: tuple[int, ...]) -> None:
    rng = np.random.default_rng(2)
    left, right = rng.normal(size=(*leading, H, D)), rng.normal(size=(*leading, D, B))
    out = np.full((*leading, H, B), np.nan)
    product(left, right, out)()
    assert np.allclose(out, np.einsum("...hd,...db->...hb", left, right), atol=1e-14)


@pytest.mark.parametrize("steps", [1, 2, 7, 8])
@pytest.mark.parametrize("size", [1, 3, 8])
def test_every_step_is_prepared_once_before_it_is_due(steps: int, size: int) -> None:
    prepared: list[int] = []
    for t in reversed(range(steps)):
        some = range(steps)[group(t, steps, size)]
        assert len(some) <= size
        assert [s % size for s in some] == list(range(len(some)))
        prepared += some
        assert t in prepared
    assert sorted(prepared) == list(range(steps))


def test_rows_come_by_fours() -> None:
    assert [padded(rows, 2) for rows in (1, 4, 19, 131)] == [4, 4, 20, 132]
    assert padded(19, 1) == 19


def test_so_many_steps_at_once_as_stay_in_the_cache() -> None:
    assert at_once(9, operations.LARGE // 4) == 4
    assert at_once(3, operations.LARGE // 4) == 3
    assert at_once(9, 2 * operations.LARGE) == 1


@pytest.mark.parametrize("name", ["elman", "gru", "lstm"])
def test_the_size_of_the_cache_changes_no_gradient(
    name: str, unrolled: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    network = Network(CELLS[name](), D, H, K, "float64")
    rng = np.random.default_rng(3)
    flat, inputs = rng.normal(size=network.size), rng.normal(size=(T, B, D))
    by_logits = rng.normal(size=(T, B, K))
    _, whole = unrolled(network, flat, inputs, by_logits)
    for limit in (1, 3 * 8 * 6 * H * B):  # one step of slopes at once; a few
        monkeypatch.setattr(operations, "LARGE", limit)
        monkeypatch.setattr(operations, "PARTIAL_SUMS", limit)
        _, gradient_in_parts = unrolled(network, flat, inputs, by_logits)
        assert np.allclose(gradient_in_parts, whole, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("leading", [(), (2,)])
def test_a_wide_step_of_a_gru_is_as_a_narrow_one(
    leading: tuple[int, ...], unrolled: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    network = Network(CELLS["gru"](), D, H, K, "float64")
    rng = np.random.default_rng(5)
    flat = rng.normal(size=(*leading, network.size))
    inputs, by_logits = rng.normal(size=(T, B, D)), rng.normal(size=(*leading, T, B, K))
    narrow = unrolled(network, flat, inputs, by_logits)
    monkeypatch.setattr(gru, "WIDE", 0)
    for found, expected in zip(unrolled(network, flat, inputs, by_logits), narrow, strict=True):
        assert np.allclose(found, expected, rtol=1e-12, atol=1e-13)


def test_a_penalty_and_the_readout_step_by_step_agree() -> None:
    """The two ways of an Elman tape to carry logits to the hidden vectors."""
    network = Network(CELLS["elman"](), D, H, K, "float64")
    rng = np.random.default_rng(4)
    flat, inputs = rng.normal(size=network.size), rng.normal(size=(T, B, D))
    by_logits, found = rng.normal(size=(T * B, K)), []
    for penalised in (False, True):
        parameters, gradients = network.trainable(), network.trainable()
        parameters.flat[...] = flat
        unroll = Unroll(network, parameters, gradients, T, B, penalised=penalised)
        unroll.inputs[...] = inputs
        _, backward = unroll.forward()
        unroll.logit_gradient[...] = by_logits
        backward()
        found.append(gradients.flat)
    assert np.allclose(*found, rtol=1e-12, atol=1e-13)


def test_a_penalty_must_be_announced() -> None:
    network = Network(CELLS["elman"](), D, H, K)
    _, backward = Unroll(network, network.trainable(), network.trainable(), T, B).forward()
    with pytest.raises(InvalidValueError, match="penalised=True"):
        backward(lambda: None)
