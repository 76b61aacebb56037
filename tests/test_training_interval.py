"""Interval training: its loss and gradient against a definition box by box."""

from __future__ import annotations

from dataclasses import replace
from math import exp, log, tanh
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seqarith as sa
from seqarith.cells.domains.intervals import Intervals
from seqarith.training.batched import BatchedNetworks
from seqarith.training.interval_schedule import CAREFUL, FAST
from seqarith.training.interval_training import CHANGE, KEPT, LEAP, IntervalTraining

CONFIG = sa.TrainingConfig(bits=3, base=3, hidden=4, dtype="float64")


def prepared(
    config: sa.TrainingConfig = CONFIG, level: float = 0.7
) -> tuple[BatchedNetworks, IntervalTraining]:
    """Return networks whose intervals are somewhere."""
    networks = BatchedNetworks(config)
    networks.initialise(0)
    intervals = IntervalTraining(config, networks)
    intervals.state[...] = np.random.default_rng(2).uniform(0.1, 0.5, intervals.state.shape)
    intervals.state[..., -1] = level
    return networks, intervals


def loss(config: sa.TrainingConfig, flat: Any, state: Any) -> float:
    """The mean loss of the worst logits, one box, one unit and one letter after another."""
    task, hidden = config.built_task, config.width
    machine = task.machine
    assert machine is not None
    kernels = config.network.trainable()
    kernels.flat[...] = flat
    arrays = config.network.export(config.network.unpack(kernels))
    recurrent, readout = arrays["rnn.weight_hh_l0"], arrays["readout.weight"]
    level, states = state[-1], range(machine.states)
    mean, spread = state[:-1].reshape(2, machine.states, hidden)
    total = 0.0
    for _ in range(FAST.steps):
        found: dict[int, list[Any]] = {q: [] for q in states}
        boxes = [(q, mean[q], level * spread[q]) for q in states]
        for q, centre, radius in [*boxes, (machine.initial, np.zeros(hidden), np.zeros(hidden))]:
            for letter, vector in enumerate(task.vectors):
                bounds = []
                for unit in range(hidden):
                    drive = arrays["rnn.weight_ih_l0"][unit] @ vector
                    middle = recurrent[unit] @ centre + drive + arrays["rnn.bias_ih_l0"][unit]
                    reach = abs(recurrent[unit]) @ radius
                    bounds.append((tanh(middle - reach), tanh(middle + reach)))
                low, high = np.array(bounds).T
                found[int(machine.next_state[q, letter])].append((low, high))
                right, logits = int(machine.output[q, letter]), []
                for digit, weights in enumerate(readout):
                    ends = [weights * low, weights * high]
                    worst = np.minimum(*ends) if digit == right else np.maximum(*ends)
                    logits.append(float(worst.sum() + arrays["readout.bias"][digit]))
                total += log(sum(map(exp, logits))) - logits[right]
        mean = np.array([np.mean([(a + b) / 2 for a, b in found[q]], 0) for q in states])
        square = [
            np.mean([((a + b) / 2 - mean[q]) ** 2 + ((b - a) / 2) ** 2 for a, b in found[q]], 0)
            for q in states
        ]
        spread = np.sqrt(np.array(square) + 1e-8)
    moves = (machine.states + 1) * machine.letters
    return total / FAST.steps / moves


def test_the_gradient_is_that_of_the_loss() -> None:
    networks, intervals = prepared()
    before = intervals.state.copy()
    intervals.compute_gradient()
    for place in range(len(networks.flat)):
        moved = np.zeros_like(networks.flat)
        moved[place] = 1e-6
        rise = loss(CONFIG, networks.flat + moved, before) - loss(
            CONFIG, networks.flat - moved, before
        )
        assert networks.gradient[place] == pytest.approx(rise / 2e-6, abs=1e-7)


@pytest.mark.parametrize("settings", [{"base": 3}, {"operands": 4}], ids=str)
def test_side_by_side_as_alone(settings: dict[str, Any]) -> None:
    config = sa.TrainingConfig(bits=3, hidden=4, candidates=3, dtype="float64", **settings)
    networks, intervals = prepared(config)
    states = intervals.state.copy()
    starts = networks.flat.copy()
    for step in range(3):
        intervals.compute_gradient()
        intervals.update(0.01, step + 1)
    for i in range(3):
        alone, its = prepared(replace(config, candidates=1))
        alone.flat[...], its.state[...] = starts[i], states[i]
        for step in range(3):
            its.compute_gradient()
            its.update(0.01, step + 1)
        assert np.allclose(its.state, intervals.state[i], rtol=0, atol=1e-12)
        assert np.allclose(alone.flat, networks.flat[i], rtol=0, atol=1e-12)
        assert its.margin == pytest.approx(intervals.margin[i])


def test_the_level_falls_while_a_digit_is_wrong() -> None:
    _, intervals = prepared()
    intervals.compute_gradient()
    assert intervals.margin < 0
    assert intervals.level == pytest.approx(0.7 - CHANGE)
    assert not intervals.is_promising()
    intervals.reset()
    assert not intervals.state.any()


def test_weights_of_the_input_move_further() -> None:
    networks, intervals = prepared()
    before = networks.flat.copy()
    intervals.compute_gradient()
    intervals.update(0.01, 1)
    moved = np.abs(networks.flat - before)[: 6 * 4]
    moved = moved[moved > 0]
    assert np.allclose(moved, 0.01 * LEAP, rtol=1e-3)


def burst(level: float) -> tuple[BatchedNetworks, IntervalTraining]:
    """Return three networks for a machine of five states; boxes of the second hold everything."""
    networks, intervals = prepared(
        sa.TrainingConfig(operands=5, hidden=4, candidates=3, dtype="float64"), level
    )
    networks.kernels["readout"][...] *= 0.1
    networks.kernels["readout"][1] *= 400
    return networks, intervals


def test_a_step_whose_boxes_burst_is_undone() -> None:
    networks, intervals = burst(level=1.0)
    before = networks.flat.copy()
    intervals.compute_gradient()
    assert [float(m) < CAREFUL.burst for m in intervals.margin] == [False, True, False]
    assert np.array_equal(networks.gradient.any(-1), [True, False, True])
    intervals.update(0.01, 1)
    assert np.array_equal((networks.flat != before).any(-1), [True, False, True])
    assert intervals.level == pytest.approx([1 - CHANGE, (1 - CHANGE) * KEPT, 1 - CHANGE])
    mean, spread = intervals.state[1, :-1].reshape(2, 5, 4)
    assert mean.any()
    assert not spread.any()


def test_at_a_low_level_a_wrong_digit_is_learnt_from() -> None:
    networks, intervals = burst(level=0.1)
    before = networks.flat.copy()
    intervals.compute_gradient()
    intervals.update(0.01, 1)
    assert intervals.margin[1] < CAREFUL.burst
    assert (networks.flat != before).any(-1).all()


@pytest.mark.parametrize("settings", [{"base": 3}, {"operands": 4, "hidden": 64}], ids=str)
def test_words_of_many_letters_end_with_a_proof(settings: dict[str, Any]) -> None:
    result = sa.train("add", bits=3, **{"hidden": 32, **settings})
    assert result.proved
    assert result.evaluation.exact


def test_a_run_is_taken_up_where_it_stopped(tmp_path: Path) -> None:
    config = sa.TrainingConfig(bits=3, base=3, hidden=8, max_steps=30)
    whole = sa.Trainer(config)
    whole.run()
    part = sa.Trainer(config)
    with pytest.raises(KeyboardInterrupt):
        part.run(sa.Hooks(stop=lambda: part.step >= 13))
    part.checkpoint().save(tmp_path / "c")
    rest = sa.Trainer(config, sa.Checkpoint.load(tmp_path / "c"))
    rest.run()
    ends = (rest.checkpoint(), whole.checkpoint())
    assert ends[0].parameters.tobytes() == ends[1].parameters.tobytes()
    assert ends[0].intervals is not None
    assert ends[1].intervals is not None
    assert ends[0].intervals.tobytes() == ends[1].intervals.tobytes()


@pytest.mark.parametrize(
    ("settings", "learns"),
    [
        ({"base": 10}, True),
        ({"operands": 5}, True),
        ({"task": "sub", "operands": 4}, True),
        ({}, False),
        ({"operands": 3}, False),
        ({"task": "compare", "base": 10}, False),
        ({"base": 10, "goal": "exact"}, False),
        ({"base": 10, "noise": 0.3}, False),
        ({"base": 10, "optimizer": "sgd"}, False),
        ({"base": 10, "cell": "gru"}, False),
        ({"task": "scale", "base": 10, "parameters": {"factor": 3}}, False),
    ],
    ids=str,
)
def test_which_networks_learn_from_intervals(settings: dict[str, Any], learns: bool) -> None:
    config = sa.TrainingConfig(**settings)
    assert (config.interval_size > 0) == learns
    again = sa.TrainingConfig.from_description(config.describe())
    assert again.interval_size == config.interval_size


def test_boxes_are_stepped_as_the_recorded_step_says() -> None:
    """The pass is written by hand, for speed: it is held against the step on intervals."""
    networks, intervals = prepared()
    network, states = CONFIG.network, CONFIG.built_task.machine.states
    arrays = {k: x.astype(float) for k, x in networks.parameters(0).arrays.items()}
    exact = Intervals(network.step, arrays, CONFIG.vectors.astype(float), 0.0, 0.0)
    rng = np.random.default_rng(5)
    centre, radius = rng.normal(size=(states, network.hidden)), rng.random((states, network.hidden))
    image = intervals._stepped(centre.astype(CONFIG.dtype), radius.astype(CONFIG.dtype))
    start = np.zeros((1, network.hidden))
    centre, radius = np.append(centre, start, 0), np.append(radius, start, 0)
    for found, expected in zip(
        (image.low, image.high), exact.boxes(centre - radius, centre + radius), strict=True
    ):
        np.testing.assert_allclose(found, expected.reshape(found.shape), atol=1e-5)
