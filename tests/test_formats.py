"""Files of earlier versions are read as ever, and their schemas say what they may hold."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import seqarith as sa
from seqarith.formats import renamed

DATA = Path(__file__).parent / "data"


@pytest.mark.parametrize("name", ["plain", "own", "tutorial"])
def test_a_model_of_version_0_5_0_is_written_again_as_it_was(name: str, tmp_path: Path) -> None:
    model = sa.Model.load(DATA / f"{name}-0.5.0.npz")
    model.save(tmp_path / "again")
    with np.load(DATA / f"{name}-0.5.0.npz") as old, np.load(tmp_path / "again") as new:
        before, after = (json.loads(bytes(file["header"])) for file in (old, new))
        after.pop("digest")  # later versions note what the notes are of
        before["training"] = renamed(before["training"])
        assert after == before
        assert old.files == new.files
        assert all((old[entry] == new[entry]).all() for entry in old.files if entry != "header")


def test_a_proof_of_version_0_5_0_is_accepted() -> None:
    assert isinstance(sa.verify(sa.Model.load(DATA / "own-0.5.0.npz")), sa.Accepted)


def test_a_run_of_version_0_5_0_goes_on(tmp_path: Path) -> None:
    checkpoint = sa.Checkpoint.load(DATA / "train-0.5.0.ckpt")
    assert (checkpoint.step, len(checkpoint.words), checkpoint.best) == (2000, 3, 3)
    checkpoint.save(tmp_path / "again")
    with np.load(DATA / "train-0.5.0.ckpt") as old, np.load(tmp_path / "again") as new:
        before, after = (json.loads(bytes(file["header"])) for file in (old, new))
        names = {"rate": "learning_rate", "until": "goal", "restarts": "candidates"}
        for former, name in names.items():
            before["config"][name] = before["config"].pop(former)
        assert after == {**before, "version": 2}
        assert all((old[entry] == new[entry]).all() for entry in old.files if entry != "header")


def test_an_evaluation_of_version_0_5_0_goes_on(tmp_path: Path) -> None:
    place = tmp_path / "c"
    shutil.copy(DATA / "eval-0.5.0.ckpt", place)
    found = sa.evaluate(sa.Model.load(DATA / "own-0.5.0.npz"), 4, checkpoint=place)
    assert (found.checked, found.exact) == (16, True)


def test_logs_of_version_0_5_0() -> None:
    assert sa.RunLog.read(DATA / "log-0.5.0.jsonl").steps.tolist()[:2] == [50, 100]
    assert sa.RunLog.read(DATA / "tutorial-0.5.0.jsonl").values["error"].size == 2
