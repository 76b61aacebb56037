"""The training loop: one seed fixes all, stopping and going on change nothing."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seqarith as sa
from seqarith.errors import DivergedError, ModelFileError
from seqarith.training.progress import Report

RUNS: dict[str, sa.TrainingConfig] = {
    "adam": sa.TrainingConfig(bits=4, max_steps=90, goal="steps"),
    "adam until exact": sa.TrainingConfig(bits=3, seed=1, max_steps=1000),
    "sgd": sa.TrainingConfig(
        task="sub",
        bits=4,
        optimizer="sgd",
        optimizer_options={"momentum": 0.9, "nesterov": True},
        schedule="linear",
        max_steps=90,
        goal="steps",
    ),
    "rmsprop": sa.TrainingConfig(
        base=3, bits=3, optimizer="rmsprop", schedule="cosine", max_steps=90, goal="steps",
        dtype="float64",
    ),
    "until proved": sa.TrainingConfig(bits=5, hidden=8, seed=2, max_steps=1000),
    "candidates": sa.TrainingConfig(
        bits=4, hidden=3, restart_after=60, candidates=3, seed=1, max_steps=200
    ),
    "tutorial": sa.tutorial_config(seed=3, max_steps=300),
}  # fmt: skip


@pytest.fixture(params=list(RUNS))
def config(request: pytest.FixtureRequest) -> sa.TrainingConfig:
    return RUNS[request.param]


def content(model: sa.Model, tmp_path: Path) -> bytes:
    model.save(tmp_path / "m.npz")
    return (tmp_path / "m.npz").read_bytes()


def stopped_at(
    config: sa.TrainingConfig, step: int, tmp_path: Path, start: sa.Checkpoint | None = None
) -> sa.Checkpoint:
    """Run until a step, and take what the checkpoint file then holds."""
    trainer = sa.Trainer(config, start)
    hooks = sa.Hooks(
        checkpoint=lambda reached: reached.save(tmp_path / "c"),
        checkpoint_every=10**9,
        stop=lambda: trainer.step >= step,
    )
    with pytest.raises(KeyboardInterrupt):
        trainer.run(hooks)
    return sa.Checkpoint.load(tmp_path / "c")


def test_same_seed_same_bytes(config: sa.TrainingConfig, tmp_path: Path) -> None:
    first = sa.Trainer(config).run()
    assert content(first.model, tmp_path) == content(sa.Trainer(config).run().model, tmp_path)


def test_resumed_as_uninterrupted(config: sa.TrainingConfig, tmp_path: Path) -> None:
    whole = sa.Trainer(config).run()
    expected = content(whole.model, tmp_path)
    source = random.Random(config.seed + config.max_steps)
    for _ in range(3):
        step = source.randrange(1, whole.steps)
        checkpoint = stopped_at(config, step, tmp_path)
        assert checkpoint.step == step
        result = sa.Trainer(config, checkpoint).run()
        assert result.steps == whole.steps
        assert content(result.model, tmp_path) == expected


@pytest.mark.parametrize("name", ["until proved", "candidates"])
def test_resumed_from_any_look(name: str, tmp_path: Path) -> None:
    """What a look at the networks changes is in the checkpoint of its step."""
    config, kept = RUNS[name], list[sa.Checkpoint]()
    whole = sa.Trainer(config).run(sa.Hooks(checkpoint=kept.append, checkpoint_every=10))
    expected = content(whole.model, tmp_path)
    assert len(kept) >= 4
    for checkpoint in kept:
        checkpoint.save(tmp_path / "c")
        result = sa.Trainer(config, sa.Checkpoint.load(tmp_path / "c")).run()
        assert content(result.model, tmp_path) == expected


def test_the_best_network_is_remembered(tmp_path: Path) -> None:
    config = replace(RUNS["candidates"], max_steps=58, restart_after=0)
    whole = sa.Trainer(config).run()
    checkpoint = stopped_at(config, 55, tmp_path)
    assert checkpoint.best > 0
    result = sa.Trainer(config, checkpoint).run()
    assert content(result.model, tmp_path) == content(whole.model, tmp_path)
    replace(checkpoint, best=3).save(tmp_path / "c")
    with pytest.raises(ModelFileError, match="network 3 of 3"):
        sa.Checkpoint.load(tmp_path / "c")


def test_resumed_twice(tmp_path: Path) -> None:
    config = RUNS["adam"]
    once = stopped_at(config, 31, tmp_path)
    twice = stopped_at(config, 64, tmp_path, once)
    result = sa.Trainer(config, twice).run()
    assert content(result.model, tmp_path) == content(sa.Trainer(config).run().model, tmp_path)


def test_watching_changes_nothing(config: sa.TrainingConfig, tmp_path: Path) -> None:
    hooks = sa.Hooks(
        report=lambda report: None,
        checkpoint=lambda reached: None,
        checkpoint_every=7,
        stop=lambda: False,
    )
    watched = sa.Trainer(config).run(hooks)
    assert content(watched.model, tmp_path) == content(sa.Trainer(config).run().model, tmp_path)


def test_seeds_differ() -> None:
    flats = {
        sa.train("add", bits=3, seed=seed, max_steps=5).model.parameters.flat.tobytes()
        for seed in range(4)
    }
    assert len(flats) == 4


@pytest.mark.parametrize("cell_options", [{}, {"activation": "sigmoid"}], ids=str)
@pytest.mark.parametrize("task", ["add", "sub"])
def test_until_exact_stops_as_soon_as_it_is(task: str, cell_options: dict[str, Any]) -> None:
    result = sa.train(task, bits=4, seed=2, cell_options=cell_options)
    assert result.reached
    assert result.steps < 5000
    assert result.evaluation.exact
    assert (result.evaluation.mode, result.evaluation.checked) == ("exhaustive", 256)
    assert result.examples == result.steps * 64
    for a in range(16):
        for b in range(16):
            assert result.model.predict(a, b).predicted == (a + b if task == "add" else a - b)


def test_until_steps_makes_all_of_them() -> None:
    result = sa.train("add", bits=3, goal="steps", max_steps=123)
    assert (result.steps, result.reached) == (123, True)


def test_steps_spent_before_the_goal() -> None:
    result = sa.train("add", bits=8, max_steps=3)
    assert (result.steps, result.reached, result.evaluation.exact) == (3, False, False)


def test_the_model_knows_how_it_was_made() -> None:
    result = sa.train("add", bits=4, seed=6, hidden=12)
    assert result.model.training["steps"] == result.steps
    assert result.model.training["hidden"] == 12
    assert result.model.training["seed"] == 6
    assert result.model.evaluation == result.evaluation.summary()


@pytest.mark.parametrize(
    ("settings", "checked"),
    [
        ({"base": 3, "bits": 3, "hidden": 32}, 3**6),
        ({"operands": 3, "bits": 3, "hidden": 32}, 2**9),
        ({"loss": "squared_error", "bits": 4}, 256),
        ({"loss": "cross_entropy", "bits": 4}, 256),
        ({"optimizer": "rmsprop", "bits": 4}, 256),
        ({"optimizer": "sgd", "optimizer_options": {"momentum": 0.9}, "bits": 4}, 256),
    ],
    ids=str,
)
def test_other_settings_learn_it_too(settings: dict[str, Any], checked: int) -> None:
    result = sa.train("add", seed=0, **settings)
    assert result.reached
    assert (result.evaluation.checked, result.evaluation.correct) == (checked, checked)


def test_operands_too_wide_to_try_all_are_said_to_be_sampled() -> None:
    result = sa.train("add", bits=40, seed=0)
    assert result.reached
    assert result.evaluation.mode == "sampled"
    assert result.model.evaluation["mode"] == "sampled"
    assert result.evaluation.directed > 0


# ------------------------------------------------------------- history


def test_the_history_is_what_was_reported(config: sa.TrainingConfig) -> None:
    reports: list[Report] = []
    watched = sa.Trainer(config).run(sa.Hooks(report=reports.append))
    assert watched.history == [{"step": each.step, **each.record()} for each in reports]
    assert watched.history == sa.Trainer(config).run().history
    assert len(watched.history) >= 1


def test_a_new_beginning_is_reported_at_its_first_step(tmp_path: Path) -> None:
    config = replace(RUNS["candidates"], max_steps=125)
    entries = sa.Trainer(config).run().history
    restarts = {entry["step"]: entry["attempt"] for entry in entries if "attempt" in entry}
    assert restarts == {61: 2, 121: 3}
    assert [entry["step"] for entry in entries] == sorted([*range(10, 121, 10), *restarts])
    assert {entry["candidate"] for entry in entries if "loss" in entry} <= {0, 1, 2}
    resumed = sa.Trainer(config, stopped_at(config, 60, tmp_path)).run()
    assert resumed.history == entries[6:]


# ------------------------------------------------------------- divergence


DIVERGING = sa.TrainingConfig(
    bits=4, optimizer="sgd", learning_rate=1e38, clip=None, loss="binary_cross_entropy",
    optimizer_options={"momentum": 0.99}, max_steps=2000, goal="steps",
)  # fmt: skip


def test_divergence_is_said_and_keeps_the_last_good_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "c"
    trainer = sa.Trainer(DIVERGING)
    hooks = sa.Hooks(checkpoint=lambda reached: reached.save(path), checkpoint_every=1)
    with pytest.raises(DivergedError, match=r"training diverged before step.*lower the learning"):
        trainer.run(hooks)
    assert trainer.step < 2000
    if path.exists():
        assert np.isfinite(sa.Checkpoint.load(path).parameters).all()


def test_divergence_in_the_middle(tmp_path: Path) -> None:
    """A run that was well until its parameters were spoilt: the checkpoint before stays."""
    config = sa.TrainingConfig(bits=4, max_steps=100, goal="steps")
    trainer = sa.Trainer(config)
    path = tmp_path / "c"

    def spoil() -> bool:
        if trainer.step == 55:
            trainer._engine.networks.flat[0] = np.nan
        return False

    hooks = sa.Hooks(checkpoint=lambda c: c.save(path), checkpoint_every=20, stop=spoil)
    with pytest.raises(DivergedError):
        trainer.run(hooks)
    kept = sa.Checkpoint.load(path)
    assert kept.step == 40
    assert sa.Trainer(config, kept).run().steps == 100


# ------------------------------------------------------------- hooks


def test_reports_and_checkpoints_come_when_they_should() -> None:
    reports: list[Report] = []
    checkpoints: list[sa.Checkpoint] = []
    hooks = sa.Hooks(report=reports.append, checkpoint=checkpoints.append, checkpoint_every=60)
    sa.Trainer(sa.TrainingConfig(bits=4, max_steps=200, goal="steps")).run(hooks)
    assert [report.step for report in reports] == list(range(10, 201, 10))
    assert [checkpoint.step for checkpoint in checkpoints] == [60, 120, 180]
    for report in reports:
        record = report.record()
        assert set(record) == {"step", "loss", "accuracy", "digit_accuracy", "min_margin"}
        assert 0 <= record["accuracy"] <= record["digit_accuracy"] <= 1
        assert f"{record['loss']:.3f}"[:3] in report.text()


def test_a_report_says_what_the_batch_was(tmp_path: Path) -> None:
    """Loss and accuracy of step 50 from the weights after step 49, in the words of the API."""
    config = sa.TrainingConfig(bits=3, batch_size=16, max_steps=50, goal="steps", dtype="float64")
    reports: list[Report] = []
    sa.Trainer(config).run(sa.Hooks(report=reports.append))
    trainer = sa.Trainer(config, stopped_at(config, 49, tmp_path))
    letters = trainer._engine.batches.letters(49)
    model = trainer._engine.model(0)
    task = config.built_task
    right, loss, least = [], 0.0, np.inf
    for logits, wanted in zip(model.program.run(letters), task.machine.run(letters), strict=True):
        z = logits[:, 0]
        right.append((z > 0) == wanted)
        least = min(least, float(np.where(wanted, z, -z).min()))
        loss += float(np.log1p(np.exp(np.where(wanted, -z, z))).mean()) / len(letters)
    record = reports[-1].record()
    assert record["loss"] == pytest.approx(loss, rel=1e-9)
    assert record["accuracy"] == pytest.approx(np.all(right, axis=0).mean())
    assert record["digit_accuracy"] == pytest.approx(np.mean(right))
    assert record["min_margin"] == pytest.approx(least)
