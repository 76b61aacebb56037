"""Networks that are trained side by side, each to its own end, against runs of their own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import seqarith as sa
from seqarith.errors import DivergedError, InvalidValueError
from seqarith.training.engine import Engine
from seqarith.training.flock import Flock

PLAIN: dict[str, Any] = {"bits": 4, "dtype": "float64", "noise": 0.0}


def weights(result: sa.Run) -> np.ndarray:
    return result.model.parameters.flat


def test_each_is_proved_and_knows_its_seed() -> None:
    seeds = [7, 3, 11, 0, 5]
    results = sa.train_many("add", seeds, together=4, bits=5)
    assert all(result.proved and result.evaluation.exact for result in results)
    assert [result.model.training["seed"] for result in results] == seeds
    assert {result.model.training["restarts"] for result in results} == {1}
    assert len({result.steps for result in results}) > 1
    for result in results:
        assert result.model.training["steps"] == result.steps
        assert result.examples == result.steps * 64
        assert isinstance(sa.verify(result.model), sa.Accepted)
    assert len({weights(result).tobytes() for result in results}) == len(seeds)


def test_the_first_is_the_network_of_its_own_run() -> None:
    """The words are its own, so with the same sums in another order only rounding differs."""
    settings = {**PLAIN, "until": "steps", "max_steps": 40}
    alone = sa.train("sub", seed=9, **settings)
    first, other = sa.train_many("sub", [9, 4], **settings)
    np.testing.assert_allclose(weights(first), weights(alone), rtol=1e-6, atol=1e-8)
    assert not np.allclose(weights(other), weights(alone), atol=0.1)
    assert first.model.training == {**alone.model.training, "beside": [9, 4]}


def test_one_network_is_the_run_itself() -> None:
    for settings in ({"bits": 6}, {"base": 10, "bits": 1, "hidden": 24, "max_steps": 60}):
        alone, (many,) = sa.train("add", seed=3, **settings), sa.train_many("add", [3], **settings)
        assert weights(many).tobytes() == weights(alone).tobytes()
        assert (many.steps, many.reached) == (alone.steps, alone.reached)


def test_ending_of_some_changes_nothing_for_the_rest() -> None:
    """Those that are left go on as if all were still there."""
    config = sa.TrainingConfig("add", **PLAIN, until="steps", max_steps=60, restarts=4)
    whole = Engine(config, [1, 2, 3, 4])
    for _ in range(30):
        whole.advance()
    whole.hardening.begun[...] = True
    some = whole.kept([3, 1])
    assert (some.step, some.seeds) == (30, [4, 2])
    for course in (whole, some):
        for _ in range(25):
            course.advance()
    np.testing.assert_allclose(some.stack.flat, whole.stack.flat[[3, 1]], rtol=1e-7, atol=1e-9)


def test_clouds_go_on_as_well() -> None:
    config = sa.TrainingConfig("add", bits=1, base=10, hidden=12, dtype="float64", restarts=3)
    whole = Engine(config, [1, 2, 3])
    for _ in range(12):
        whole.advance()
    some = whole.kept([2])
    for course in (whole, some):
        for _ in range(5):
            course.advance()
    np.testing.assert_allclose(some.stack.flat, whole.stack.flat[2], rtol=1e-7, atol=1e-9)


def test_each_is_hardened_by_itself() -> None:
    config = sa.TrainingConfig("add", bits=4, restarts=3)
    hardening = Engine(config, [1, 2, 3]).hardening
    hardening.look(np.array([1.0, 0.5, 0.99]))
    assert hardening.begun.tolist() == [True, False, True]
    assert hardening.level[0] == hardening.level[2] > hardening.level[1]
    hardening.disturb(0)
    strength = hardening._unroll.noise.std(axis=(1, 2, 3))
    assert strength[0] / strength[1] == pytest.approx(
        hardening.level[0] / hardening.level[1], rel=0.1
    )


def test_the_steps_may_be_spent() -> None:
    config = sa.TrainingConfig("add", bits=4, max_steps=10)
    results = Flock(config, [1, 2]).run()
    assert [(result.reached, result.steps) for result in results] == [(False, 10)] * 2
    until = replace(config, until="steps")
    assert [result.reached for result in Flock(until, [1, 2]).run()] == [True, True]


def test_one_that_is_done_may_diverge() -> None:
    config = sa.TrainingConfig("add", bits=4, restarts=3)
    course = Engine(config, [1, 2, 3])
    course.stack.flat[1] = np.nan
    course.check_finite([0, 2])
    with pytest.raises(DivergedError):
        course.check_finite([0, 1])


def test_a_task_of_your_own() -> None:
    task = sa.Task.from_function(lambda a: 3 * a, name="triple")
    results = sa.train_many(task, [0, 1], bits=4)
    assert [result.reached for result in results] == [True, True]
    assert results[1].model.predict(1001).predicted == 3003


@pytest.mark.parametrize(
    ("seeds", "settings", "message"),
    [
        ([1, 1], {}, "a seed occurs twice"),
        ([1], {"together": 0}, "0 networks together: expected 1 or more"),
        ([1], {"seed": 5}, "seed 5: many networks have none"),
        ([1], {"restarts": 2}, "restarts 2: many networks have none"),
        ([0, -1], {}, "seed -1: expected 0 to"),
        ([0, 2**32], {}, "seed 4294967296: expected 0 to"),
    ],
)
def test_refusals(seeds: list[int], settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        sa.train_many("add", seeds, **settings)


def test_no_seeds_no_networks() -> None:
    assert sa.train_many("add", []) == []
