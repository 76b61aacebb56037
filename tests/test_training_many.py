"""Networks that are trained side by side, each to its own end, against runs of their own."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seqarith as sa
from seqarith.errors import CheckpointError, DivergedError, InvalidValueError, ModelFileError
from seqarith.training.engine import Engine
from seqarith.training.progress import Report

PLAIN: dict[str, Any] = {"bits": 4, "dtype": "float64", "noise": 0.0}


def weights(result: sa.Run) -> np.ndarray:
    return result.model.parameters.flat


def test_each_is_proved_and_knows_its_seed() -> None:
    seeds = [7, 3, 11, 0, 5]
    results = sa.train_many("add", seeds, together=4, bits=5)
    assert all(result.proved and result.evaluation.exact for result in results)
    assert [result.model.training["seed"] for result in results] == seeds
    assert {result.model.training["candidates"] for result in results} == {1}
    assert len({result.steps for result in results}) > 1
    for result in results:
        assert result.model.training["steps"] == result.steps
        assert result.examples == result.steps * 64
        assert isinstance(sa.verify(result.model), sa.Accepted)
    assert len({weights(result).tobytes() for result in results}) == len(seeds)


def test_the_first_is_the_network_of_its_own_run() -> None:
    """The words are its own, so with the same sums in another order only rounding differs."""
    settings = {**PLAIN, "goal": "steps", "max_steps": 40}
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


def advanced(engine: Engine, steps: int) -> Engine:
    for _ in range(steps):
        engine.advance(sa.Hooks())
    return engine


def test_ending_of_some_changes_nothing_for_the_rest() -> None:
    """Those that are left go on as if all were still there."""
    config = sa.TrainingConfig("add", **PLAIN, goal="steps", max_steps=60)
    whole, some = (advanced(Engine(config, [1, 2, 3, 4], 4), 30) for _ in range(2))
    for engine in (whole, some):
        engine.regularizers.begun[...] = True
    some.running = [3, 1]
    some._drop_ended()
    assert (some.step, some.rows, some.running) == (30, [4, 2], [0, 1])
    ends = [advanced(engine, 25).networks.flat for engine in (whole, some)]
    np.testing.assert_allclose(ends[1], ends[0][[3, 1]], rtol=1e-7, atol=1e-9)


def test_intervals_go_on_as_well() -> None:
    config = sa.TrainingConfig("add", bits=1, base=10, hidden=12, dtype="float64")
    whole, some = (advanced(Engine(config, [1, 2, 3], 3), 12) for _ in range(2))
    some.running = [1]
    some._drop_ended()
    ends = [advanced(engine, 5).networks.flat for engine in (whole, some)]
    np.testing.assert_allclose(ends[1], ends[0][1], rtol=1e-7, atol=1e-9)


def test_each_is_regularized_by_itself() -> None:
    regularizers = Engine(sa.TrainingConfig("add", bits=4), [1, 2, 3], 3).regularizers
    regularizers.update(np.array([1.0, 0.5, 0.99]))
    assert regularizers.begun.tolist() == [1, 0, 1]
    level = regularizers.level
    assert level[0] == level[2] > level[1]
    regularizers.add_noise(0)
    strength = regularizers._unroll.noise.std(axis=(1, 2, 3))
    assert strength[0] / strength[1] == pytest.approx(level[0] / level[1], rel=0.1)


def test_the_steps_may_be_spent() -> None:
    settings = {"bits": 4, "max_steps": 10}
    results = sa.train_many("add", [1, 2], **settings)
    assert [(result.reached, result.steps) for result in results] == [(False, 10)] * 2
    results = sa.train_many("add", [1, 2], goal="steps", **settings)
    assert [result.reached for result in results] == [True, True]


def test_one_that_is_done_may_diverge() -> None:
    engine = Engine(sa.TrainingConfig("add", bits=4), [1, 2, 3], 3)
    engine.networks.flat[1] = np.nan
    engine.running = [0, 2]
    engine.check_finite()
    engine.running = [0, 1]
    with pytest.raises(DivergedError):
        engine.check_finite()


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
        ([1], {"seed": 5}, "seed 5: not a setting of train_many"),
        ([1], {"candidates": 2}, "candidates 2: not a setting of train_many"),
        ([0, -1], {}, "seed -1: expected 0 to"),
        ([0, 2**32], {}, "seed 4294967296: expected 0 to"),
    ],
)
def test_refusals(seeds: list[int], settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        sa.train_many("add", seeds, **settings)


def test_no_seeds_no_networks() -> None:
    assert sa.train_many("add", []) == []


# ------------------------------------------------------------- checkpoints


BATCH: dict[str, Any] = {"seeds": [5, 4, 7, 2, 9], "together": 3, "bits": 4, "max_steps": 150}


def contents(results: list[sa.Run], tmp_path: Path) -> list[bytes]:
    """Return the model files of results."""
    found = []
    for result in results:
        result.model.save(tmp_path / "m")
        found.append((tmp_path / "m").read_bytes())
    return found


def checkpoints(every: int, **settings: Any) -> tuple[list[sa.Run], list[sa.Checkpoint]]:
    """Train to the end; return the results and the checkpoints on the way."""
    taken: list[sa.Checkpoint] = []
    hooks = sa.Hooks(checkpoint=taken.append, checkpoint_every=every)
    return sa.train_many("add", hooks=hooks, **settings), taken


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"goal": "steps", "max_steps": 25},
        {"hidden": 3, "restart_after": 40, "max_steps": 100},
        {"base": 10, "bits": 1, "hidden": 12, "max_steps": 25, "restart_after": 15},
    ],
    ids=str,
)
def test_resumed_as_uninterrupted(settings: dict[str, Any], tmp_path: Path) -> None:
    """Whichever step a batch is killed after, in whichever group, all models are the same bytes."""
    settings = {**BATCH, **settings}
    whole, taken = checkpoints(13, **settings)
    expected = contents(whole, tmp_path)
    assert contents(sa.train_many("add", **settings), tmp_path) == expected
    assert len({found.config.seed for found in taken}) == 2, "both groups"
    for found in taken:
        found.save(tmp_path / "c")
        again = sa.Checkpoint.load(tmp_path / "c")
        again.save(tmp_path / "d")
        assert (tmp_path / "d").read_bytes() == (tmp_path / "c").read_bytes()
        results = sa.train_many("add", checkpoint=again, **settings)
        assert contents(results, tmp_path) == expected
        assert [(r.steps, r.reached) for r in results] == [(r.steps, r.reached) for r in whole]


def test_stopped_and_resumed_within_the_second_group(tmp_path: Path) -> None:
    asked: list[None] = []

    def stop() -> bool:
        asked.append(None)
        return len(asked) == 137

    hooks = sa.Hooks(lambda report: None, lambda found: found.save(tmp_path / "c"), 10**9, stop)
    with pytest.raises(KeyboardInterrupt):
        sa.train_many("add", hooks=hooks, **BATCH)
    found = sa.Checkpoint.load(tmp_path / "c")
    assert found.batch is not None
    assert found.batch.start == 3
    assert [seed for seed, *_ in found.batch.ended()][:3] == [5, 4, 7]
    results = sa.train_many("add", checkpoint=found, **BATCH)
    assert contents(results, tmp_path) == contents(sa.train_many("add", **BATCH), tmp_path)


KILLED = """
import os, sys, seqarith as sa
taken = []

def save(found):
    found.save("c")
    taken.append(found.step)
    if len(taken) == 9:
        os._exit(9)

settings = eval(sys.argv[1])
sa.train_many("add", hooks=sa.Hooks(checkpoint=save, checkpoint_every=10), **settings)
"""


def test_killed_and_resumed(tmp_path: Path) -> None:
    found = subprocess.run(
        [sys.executable, "-c", KILLED, repr(BATCH)], cwd=tmp_path, capture_output=True, check=False
    )
    assert found.returncode == 9, found.stderr
    results = sa.train_many("add", checkpoint=sa.Checkpoint.load(tmp_path / "c"), **BATCH)
    assert contents(results, tmp_path) == contents(sa.train_many("add", **BATCH), tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seeds": [5, 4, 7, 2]}, "it has 5 seeds, 3 together"),
        ({"seeds": [4, 5, 7, 2, 9]}, "it has 5 seeds, 3 together"),
        ({"together": 2}, "it has 5 seeds, 3 together"),
        ({"bits": 5}, "it has bits 4, this one 5"),
        ({"max_steps": 200}, "it has max_steps 25, this one 200"),
    ],
    ids=str,
)
def test_a_checkpoint_of_another_batch(changes: dict[str, Any], message: str) -> None:
    settings = {**BATCH, "max_steps": 25}
    found = checkpoints(20, **settings)[1][0]
    with pytest.raises(CheckpointError, match=message):
        sa.train_many("add", checkpoint=found, **{**settings, **changes})


def test_runs_and_batches_are_told_apart() -> None:
    found = checkpoints(20, **BATCH)[1][0]
    with pytest.raises(CheckpointError, match="many seeds: use train_many"):
        sa.Trainer(found.config, found)
    single = sa.Trainer(sa.TrainingConfig(bits=4)).checkpoint()
    with pytest.raises(CheckpointError, match="one run: pass it to Trainer"):
        sa.train_many("add", checkpoint=single, **BATCH)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ((0, 0), 4),  # a seed twice
        ((0, 0), 6),  # the words are of another seed
        ((0, 1), 0),  # in the arrays, though its group is done
        ((0, 2), 0),  # its group is done, and it is not
        ((0, 2), 151),  # after more steps than there are
        ((3, 1), -1),  # neither trained nor ended
        ((3, 1), 1),  # two networks in one row
        ((3, 1), 7),  # no such row
        ((3, 3), 1),  # it has reached the goal, and has not ended
    ],
    ids=str,
)
def test_a_damaged_batch_is_refused(tmp_path: Path, place: tuple[int, int], value: int) -> None:
    found = next(each for each in checkpoints(10, **BATCH)[1] if each.config.seed == 2)
    assert found.batch is not None
    assert found.batch.table[3:].tolist() == [[2, 0, 0, 0], [9, 1, 0, 0]]
    table = found.batch.table.copy()
    table[place] = value
    if place == (0, 0) and value == 6:
        table[3, 0] = 3
    replace(found, batch=replace(found.batch, table=table)).save(tmp_path / "c")
    with pytest.raises(ModelFileError):
        sa.Checkpoint.load(tmp_path / "c")


# ------------------------------------------------------------- history


def test_each_has_its_own_history() -> None:
    settings = {"bits": 4, "hidden": 3, "max_steps": 100, "restart_after": 60}
    reports: list[Report] = []
    results = sa.train_many(
        "add", [5, 4, 7], together=2, hooks=sa.Hooks(reports.append), **settings
    )
    for seed, result in zip([5, 4, 7], results, strict=True):
        assert [entry.get("seed") for entry in result.history] == [seed] * 6 + [None] + [seed] * 4
        assert result.history[6] == {"step": 61, "attempt": 2}
    assert results[0].history[0]["loss"] != results[1].history[0]["loss"]
    steps = [*range(10, 61, 10), 61, *range(70, 101, 10)]
    of_two = sorted([*steps, *range(10, 101, 10)])
    assert [report.step for report in reports] == of_two + steps
