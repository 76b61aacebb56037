"""Noise and synchrony, against their definitions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import seqarith as sa
from seqarith.network.unroll import Unroll
from seqarith.training.regularizers import CHANGE, LEAST, WELL, Regularizers


def prepared(**settings: Any) -> tuple[sa.TrainingConfig, Unroll, Regularizers]:
    config = sa.TrainingConfig(bits=3, hidden=4, batch_size=6, dtype="float64", **settings)
    network = config.network
    parameters = network.initial(np.random.default_rng(1))
    noisy = config.hidden_noise > 0
    unroll = Unroll(network, parameters, network.trainable(), 4, 6, noisy)
    return config, unroll, Regularizers(config, unroll)


def penalty(clean: Any, moves: Any, weight: float) -> float:
    """Half the weighted mean of the squared distances from the group's mean, one by one.

    Args:
        clean: Shape (T, H, B).
        moves: Shape (T * B,).
        weight: Of the penalty.
    """
    total = 0.0
    clean = [step[:, b] for step in clean for b in range(step.shape[1])]
    for move in set(moves.tolist()):
        group = [h for h, m in zip(clean, moves, strict=True) if m == move]
        middle = sum(group) / len(group)
        total += sum(float((h - middle) @ (h - middle)) for h in group)
    return weight / 2 * total / len(moves)


def test_synchrony_adds_the_gradient_of_its_penalty() -> None:
    _, unroll, regularizers = prepared(synchrony=0.7)
    rng = np.random.default_rng(2)
    unroll.clean[...] = rng.normal(size=unroll.clean.shape)
    before = rng.normal(size=unroll.hidden_gradient.shape)
    unroll.hidden_gradient[...] = before
    moves = rng.integers(5, size=24)
    regularizers.begun[...] = True
    regularizers.add_penalty(moves)
    added = unroll.hidden_gradient - before
    for place in np.ndindex(4, 4, 6):
        moved = np.zeros_like(before)
        moved[place] = 1e-6
        slope = penalty(unroll.clean + moved, moves, 0.7) - penalty(
            unroll.clean - moved, moves, 0.7
        )
        assert added[place] == pytest.approx(slope / 2e-6, abs=1e-7)


def test_synchrony_of_networks_side_by_side_is_that_of_each() -> None:
    config = sa.TrainingConfig(bits=3, hidden=4, batch_size=6, candidates=3, dtype="float64")
    network = config.network
    stacked = Unroll(network, network.trainable((3,)), network.trainable((3,)), 4, 6)
    alone = Unroll(network, network.trainable(), network.trainable(), 4, 6)
    stacked.clean[...] = np.random.default_rng(3).normal(size=stacked.clean.shape)
    stacked.hidden_gradient[...] = 0
    moves = np.random.default_rng(4).integers(5, size=24)
    Regularizers(config, stacked).add_penalty(moves)
    for i in range(3):
        alone.clean[...] = stacked.clean[i]
        alone.hidden_gradient[...] = 0
        Regularizers(config, alone).add_penalty(moves)
        assert np.allclose(stacked.hidden_gradient[i], alone.hidden_gradient, atol=1e-15)


def test_noise_is_gaussian_and_follows_from_seed_and_step() -> None:
    config, unroll, regularizers = prepared(noise=0.25, synchrony=0.0)
    assert unroll.noise is not None
    regularizers.level[...] = 1.0
    drawn = []
    for step in range(400):
        regularizers.add_noise(step)
        drawn.append(unroll.noise.copy())
    values = np.array(drawn)
    assert values.mean() == pytest.approx(0, abs=0.01)
    assert values.std() == pytest.approx(0.25, rel=0.02)
    assert not np.array_equal(drawn[0], drawn[1])
    again = Regularizers(config, unroll)
    again.level[...] = 1.0
    again.add_noise(17)
    assert np.array_equal(unroll.noise, drawn[17])


def test_noise_grows_while_nearly_all_is_right() -> None:
    _, unroll, regularizers = prepared(noise=0.25, synchrony=0.0)
    assert unroll.noise is not None
    regularizers.add_noise(3)
    first = unroll.noise.copy()
    for _ in range(4):
        regularizers.update(WELL)
    assert regularizers.level == pytest.approx(LEAST + 4 * CHANGE)
    regularizers.add_noise(3)
    assert np.allclose(unroll.noise, first * (1 + 4 * CHANGE / LEAST))
    regularizers.update(0.5)
    assert regularizers.level == pytest.approx(LEAST + 3 * CHANGE)
    for _ in range(40):
        regularizers.update(1.0)
    assert regularizers.level == 1
    regularizers.reset()
    assert (regularizers.level, regularizers.begun) == (LEAST, 0)


def test_synchrony_begins_once_nearly_all_is_right() -> None:
    _, _, regularizers = prepared()
    regularizers.update(WELL - 0.01)
    assert not regularizers.active
    regularizers.update(WELL)
    regularizers.update(0.5)
    assert regularizers.active
    _, _, without = prepared(synchrony=0.0)
    without.update(1.0)
    assert not without.active
