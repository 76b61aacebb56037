"""Checkpoints: written and read back, and refused where they do not belong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seqarith as sa
from seqarith import archive
from seqarith.errors import CheckpointError, ModelFileError
from seqarith.registry import OPTIMIZERS
from seqarith.training.checkpoint import FORMAT, VERSION


def taken(steps: int = 7, **settings: Any) -> sa.Checkpoint:
    """Return the checkpoint of a run that was stopped."""
    config = sa.TrainingConfig(**{"bits": 3, "hidden": 4, "goal": "steps", **settings})
    trainer = sa.Trainer(config)
    hooks = sa.Hooks(stop=lambda: trainer.step >= steps)
    with pytest.raises(KeyboardInterrupt):
        trainer.run(hooks)
    return trainer.checkpoint()


@pytest.mark.parametrize("optimizer", list(OPTIMIZERS))
def test_round_trip(tmp_path: Path, optimizer: str) -> None:
    checkpoint = taken(optimizer=optimizer)
    checkpoint.save(tmp_path / "c")
    found = sa.Checkpoint.load(tmp_path / "c")
    assert (found.config.describe(), found.step) == (checkpoint.config.describe(), 7)
    assert found.parameters.tobytes() == checkpoint.parameters.tobytes()
    assert set(found.memory) == set(OPTIMIZERS[optimizer].slots)
    for name, array in found.memory.items():
        assert array.tobytes() == checkpoint.memory[name].tobytes()
    found.save(tmp_path / "d")
    assert (tmp_path / "d").read_bytes() == (tmp_path / "c").read_bytes()


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 1},
        {"bits": 4},
        {"task": "sub"},
        {"hidden": 5},
        {"optimizer": "sgd"},
        {"learning_rate": 0.5},
        {"batch_size": 8},
        {"dtype": "float64"},
        {"cell_options": {"activation": "sigmoid"}},
    ],
    ids=str,
)
def test_of_another_run(changes: dict[str, Any]) -> None:
    checkpoint = taken()
    config = replace(checkpoint.config, **changes)
    with pytest.raises(CheckpointError, match=f"another run: it has {next(iter(changes))} "):
        sa.Trainer(config, checkpoint)


def test_more_steps_and_another_goal_are_the_same_run() -> None:
    checkpoint = taken()
    config = replace(checkpoint.config, max_steps=9, goal="exact")
    trainer = sa.Trainer(config, checkpoint)
    assert trainer.step == 7
    assert trainer.run().steps == 9


def test_past_the_end() -> None:
    checkpoint = taken()
    with pytest.raises(CheckpointError, match="at step 7, past the 6 asked for"):
        sa.Trainer(replace(checkpoint.config, max_steps=6), checkpoint)


def test_truncated_or_no_checkpoint(tmp_path: Path, adder_file: Path) -> None:
    path = tmp_path / "c"
    taken(hidden=1).save(path)
    content = path.read_bytes()
    for length in range(0, len(content), 13):
        path.write_bytes(content[:length])
        with pytest.raises(ModelFileError):
            sa.Checkpoint.load(path)
    with pytest.raises(ModelFileError, match="not a seqarith-checkpoint file"):
        sa.Checkpoint.load(adder_file)
    with pytest.raises(ModelFileError, match="no such file"):
        sa.Checkpoint.load(tmp_path / "missing")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("step", -1),
        ("step", 10**9),
        ("step", 1.0),
        ("step", True),
        ("step", None),
        ("config", None),
        ("config", []),
        ("config", {}),
        ("config", {"task": "multiply"}),
        ("config", {"bits": "8"}),
        ("config", {"hidden": 10**9}),
        ("config", {"surprise": 1}),
        ("config", {"cell_options": []}),
        ("config", {"optimizer_options": {"momentum": "x"}}),
        ("config", {"learning_rate": "x"}),
        ("config", {"task": []}),
        ("config", {"schedule": []}),
    ],
    ids=str,
)
def test_headers_of_wrong_types(tmp_path: Path, field: str, value: Any) -> None:
    checkpoint = taken()
    config = checkpoint.config.describe()
    if field == "config":
        config = {**config, **value} if isinstance(value, dict) and value else value
    header = {
        "format": FORMAT,
        "version": VERSION,
        "config": config,
        "step": value if field == "step" else 7,
    }
    arrays = {"parameters": checkpoint.parameters, **checkpoint.memory}
    archive.write(tmp_path / "c", header, arrays)
    with pytest.raises(ModelFileError):
        sa.Checkpoint.load(tmp_path / "c")


def test_arrays_that_do_not_belong(tmp_path: Path) -> None:
    checkpoint = taken()
    for broken in (
        replace(checkpoint, parameters=checkpoint.parameters[:-1]),
        replace(checkpoint, parameters=checkpoint.parameters.astype(np.float64)),
        replace(checkpoint, parameters=checkpoint.parameters * np.float32("nan")),
        replace(checkpoint, memory={}),
        replace(checkpoint, memory={**checkpoint.memory, "more": checkpoint.parameters}),
    ):
        broken.save(tmp_path / "c")
        with pytest.raises(ModelFileError):
            sa.Checkpoint.load(tmp_path / "c")
