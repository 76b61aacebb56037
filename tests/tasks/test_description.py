"""Model files and checkpoints of own tasks: read anywhere, and refused where they are not right."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seqarith as sa
from seqarith import archive
from seqarith.errors import ModelFileError, TaskError
from seqarith.tasks.description import build_task, describe_task
from seqarith.tasks.task import Task


@pytest.fixture(scope="module")
def triple() -> Task:
    return sa.Task.from_function(lambda a: 3 * a, name="triple", notation="three {}s")


@pytest.fixture(scope="module")
def result(triple: Task) -> sa.Run:
    return sa.train(triple, bits=5, seed=0)


@pytest.fixture
def path(result: sa.Run, tmp_path: Path) -> Path:
    result.model.save(tmp_path / "m.npz")
    return tmp_path / "m.npz"


def test_a_model_is_read_without_the_function(result: sa.Run, path: Path) -> None:
    assert result.reached
    assert (result.evaluation.checked, result.evaluation.exact) == (32, True)
    model = sa.Model.load(path)
    assert model.task.own
    assert model.task.machine.difference(result.model.task.machine) is None
    for value in (0, 1, 37, -37, 10**30, -(10**30)):
        found = model.predict(value)
        assert found.expected == 3 * value
    assert str(model.predict(9)) == "three 9s = 27"
    again = path.with_name("again.npz")
    model.save(again)
    assert again.read_bytes() == path.read_bytes()


def test_the_file_says_that_it_needs_a_newer_reader(path: Path) -> None:
    header = json.loads(np.load(path)["header"].tobytes())
    assert header["version"] == 4
    assert header["task"]["own"]["next_state"] == ["0 1", "0 2", "1 2"]
    assert header["task"]["own"]["output"] == ["0 1", "1 0", "0 1"]
    assert "own" not in header["training"]


def test_symbols_most_significant_first(tmp_path: Path) -> None:
    task = sa.Task.from_function(
        lambda a, b: "yes" if a >= b else "no", order="most", base=3, symbols=("no", "yes"),
        name="holds", notation="{} is at least {}",
    )  # fmt: skip
    sa.train(task, bits=2, max_steps=3, goal="steps").model.save(tmp_path / "m.npz")
    model = sa.Model.load(tmp_path / "m.npz")
    assert (model.task.order, model.task.symbols) == ("most", ("no", "yes"))
    assert [model.task.reference(a, b) for a, b in [(3, 3), (2, 9), (10**40, 7)]] == [1, 0, 1]
    assert str(model.predict(5, 9)).startswith("5 is at least 9 : ")
    with pytest.raises(TaskError, match="naturals only"):
        model.predict(5, -9)


def test_a_machine_of_a_file_has_no_parameters(triple: Task) -> None:
    described = describe_task(triple)
    assert build_task(described).identity() == triple.identity()
    with pytest.raises(TaskError, match="parameters of 'triple'"):
        build_task({**described, "parameters": {"factor": 5}})


def test_a_run_of_an_own_task_is_resumed(triple: Task, tmp_path: Path) -> None:
    config = sa.TrainingConfig.for_task(triple, bits=4, max_steps=20, goal="steps")
    whole = sa.Trainer(config).run().model
    taken: list[sa.Checkpoint] = []
    hooks = sa.Hooks(checkpoint=taken.append, checkpoint_every=10)
    sa.Trainer(config).run(hooks)
    taken[0].save(tmp_path / "c")
    resumed = sa.Trainer(config, sa.Checkpoint.load(tmp_path / "c")).run().model
    assert taken[0].step == 10
    assert resumed.parameters.flat.tobytes() == whole.parameters.flat.tobytes()


def test_settings_of_a_task_of_the_registry() -> None:
    task = sa.registry.TASKS["mod"](divisor=5, base=3)
    config = sa.TrainingConfig.for_task(task, bits=2)
    named = {"divisor": 5, "order": "most"}
    assert config == sa.TrainingConfig(task="mod", base=3, bits=2, parameters=named)
    assert config.own is None
    assert config.built_task.formula == "a mod 5"


def test_a_task_without_a_machine_cannot_be_stored() -> None:
    task = Task("cube", "{}**3", 1, lambda a: a**3, lambda a: (a[0] ** 3, a[1] ** 3), None)
    with pytest.raises(TaskError, match=r"'cube' has no machine.*entry-point group"):
        sa.train(task)


def test_a_name_that_is_taken() -> None:
    mine = Task("add", "{} plus {}", 2, lambda a, b: a + b, lambda a, b: (0, 9), None)
    with pytest.raises(TaskError, match=r"'add', a plus b, is not the registry's .* another name"):
        sa.train(mine)
    swapped = replace(sa.registry.TASKS["max"](), machine=sa.registry.TASKS["min"]().machine)
    with pytest.raises(TaskError, match=r"'max', max\(a, b\), is not the registry's"):
        sa.train(swapped)


WRONG: list[tuple[str, Any]] = [
    ("notation", "{0.__class__}"),
    ("notation", "{}{}"),
    ("notation", "\x1b[31m{}"),
    ("notation", "{}" + "x" * 99),
    ("notation", ["{}"]),
    ("order", "first"),
    ("order", None),
    ("delay", -1),
    ("delay", 10**9),
    ("delay", True),
    ("symbols", ["a"]),
    ("symbols", ["a", "a"]),
    ("symbols", ["a", 1]),
    ("symbols", "ab"),
    ("names", ["a", "b"]),
    ("names", ["a", "b", "c\n"]),
    ("names", [1, 2, 3]),
    ("next_state", ["0 1", "0 2", "1 3"]),
    ("next_state", ["0 1", "0 2", "1 -1"]),
    ("next_state", ["0 1", "0 2", "1 99999999999999999999"]),
    ("next_state", ["0 1", "0 2", "1 2 1"]),
    ("next_state", ["0 1", "0 2", "1 x"]),
    ("next_state", ["0 1", "0 2", ""]),
    ("next_state", ["0 1", "0 2"]),
    ("next_state", [[1, 2], [1, 0], [0, 2]]),
    ("next_state", []),
    ("next_state", ["0 " * 9000] * 3),
    ("next_state", None),
    ("next_state", ["1 2", "0 2", "1 2"]),  # well formed; 0, 1, 0, 1, ... for ever is no integer
    ("output", ["0 1", "1 0", "0 2"]),
]


@pytest.mark.parametrize(("field", "value"), WRONG, ids=lambda v: str(v)[:30])
def test_suspicious_files_are_refused(result: sa.Run, path: Path, field: str, value: Any) -> None:
    model = result.model
    header = deepcopy(model.header())
    header["task"]["own"][field] = value
    archive.write(path, header, model.network.export(model.parameters))
    with pytest.raises(ModelFileError, match=r"m\.npz: ") as caught:
        sa.Model.load(path)
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("field", ["notation", "order", "delay", "symbols", "names", "output"])
def test_what_is_missing_is_named(result: sa.Run, path: Path, field: str) -> None:
    model = result.model
    header = deepcopy(model.header())
    del header["task"]["own"][field]
    archive.write(path, header, model.network.export(model.parameters))
    with pytest.raises(ModelFileError, match=f"task.own lacks '{field}'"):
        sa.Model.load(path)


def test_names_of_tasks_are_checked(triple: Task) -> None:
    description = {**describe_task(triple), "name": "../etc"}
    with pytest.raises(TaskError, match=r"name '\.\./etc': expected"):
        build_task(description)
