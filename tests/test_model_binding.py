"""A model never changes, and what is noted of it is noted of nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import seqarith as sa
from seqarith import archive
from seqarith.cli import cli
from seqarith.evaluation import shards as module
from seqarith.network import Parameters


@pytest.fixture
def noted() -> sa.Model:
    """The shipped adder: it holds notes and a certificate."""
    return sa.Model.shipped("add")


def blank(model: sa.Model) -> Parameters:
    return model.network.parameters()


def arrays_of(model: sa.Model) -> list[Any]:
    assert model.certificate is not None
    tables = [model.task.vectors, model.task.digits, model.task.machine.next_state]
    kernels = model.parameters.arrays.values()
    return [model.parameters.flat, *kernels, *model.certificate.arrays.values(), *tables]


def test_no_array_of_a_model_can_be_written(noted: sa.Model) -> None:
    for array in arrays_of(noted):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 1


def test_parameters_cannot_be_made_writable_again(noted: sa.Model) -> None:
    for array in (noted.parameters.flat, *noted.parameters.arrays.values()):
        with pytest.raises(ValueError, match="WRITEABLE"):
            array.setflags(write=True)


def test_nothing_of_a_model_can_be_put_in_the_place_of_another(noted: sa.Model) -> None:
    with pytest.raises(AttributeError):
        noted.parameters.flat = np.zeros(noted.network.size)
    with pytest.raises(TypeError):
        noted.parameters.arrays["rnn"] = np.zeros(1)
    with pytest.raises(TypeError):
        noted.evaluation["correct"] = 0
    with pytest.raises(TypeError):
        noted.certificate.claims["margin"] = 9.0


def test_a_model_keeps_its_own_copy(adder: sa.Model) -> None:
    parameters = adder.network.parameters()
    parameters.flat[...] = adder.parameters.flat
    model = sa.Model(adder.task, adder.network, parameters)
    parameters.flat[...] = 0
    assert model.predict(37, 58).predicted == 95
    assert model.digest == adder.digest


def test_parameters_of_training_change_in_place() -> None:
    network = sa.Network(sa.registry.CELLS["elman"](), 2, 3, 1)
    parameters = network.trainable()
    parameters.flat += 1
    assert (parameters.arrays["readout"] == 1).all()


CHANGES: dict[str, Callable[[sa.Model], sa.Model]] = {
    "a parameter": lambda m: replace(m, parameters=_moved(m)),
    "all parameters": lambda m: replace(m, parameters=blank(m)),
    "the task": lambda m: replace(m, task=sa.registry.TASKS["sub"]()),
    "the cell": lambda m: replace(
        m, network=replace(m.network, cell=sa.registry.CELLS["elman"](activation="sigmoid"))
    ),
}


def _moved(model: sa.Model) -> Parameters:
    parameters = blank(model)
    parameters.flat[...] = model.parameters.flat
    parameters.flat[3] = np.nextafter(parameters.flat[3], np.inf)
    return parameters


@pytest.mark.parametrize("change", CHANGES)
def test_notes_are_dropped_with_the_network_they_speak_of(noted: sa.Model, change: str) -> None:
    assert noted.evaluation["correct"] == 65536
    other = CHANGES[change](noted)
    assert other.digest != noted.digest
    assert (dict(other.evaluation), dict(other.training)) == ({}, {})


def test_notes_stay_where_the_network_does(noted: sa.Model) -> None:
    same = replace(noted, certificate=None)
    assert dict(same.evaluation) == dict(noted.evaluation)
    assert dict(same.training) == dict(noted.training)


def test_a_blank_network_is_not_shown_with_the_counts_of_another(
    noted: sa.Model, tmp_path: Path
) -> None:
    place = tmp_path / "blank.npz"
    replace(noted, parameters=blank(noted)).save(place)
    shown = CliRunner().invoke(cli, ["show", str(place)])
    assert "65,536" not in shown.output


def test_a_file_names_the_network_that_its_notes_speak_of(noted: sa.Model, tmp_path: Path) -> None:
    place = tmp_path / "m.npz"
    noted.save(place)
    file = np.load(place)
    header = json.loads(file["header"].tobytes())
    assert header["digest"] == noted.digest
    arrays = {name: file[name] for name in file.files if name != "header"}
    arrays["readout.bias"] = arrays["readout.bias"] + 1
    archive.write(place, header, arrays)
    assert dict(sa.Model.load(place).evaluation) == {}


def test_a_file_of_an_earlier_version_keeps_its_notes(noted: sa.Model, tmp_path: Path) -> None:
    place = tmp_path / "m.npz"
    noted.save(place)
    file = np.load(place)
    header = json.loads(file["header"].tobytes())
    del header["digest"]
    archive.write(place, header, {name: file[name] for name in file.files if name != "header"})
    assert dict(sa.Model.load(place).evaluation) == dict(noted.evaluation)


def test_counts_of_a_checkpoint_are_said_to_be_its_own(wrong_file: Path, tmp_path: Path) -> None:
    # A checkpoint that claims every count of a network that errs.
    place, run = tmp_path / "c", CliRunner()
    command = ["eval", str(wrong_file), "--bits", "3", "--checkpoint", str(place)]
    first = run.invoke(cli, [*command, "--json"])
    assert json.loads(first.stdout)["resumed"] == 0
    header = archive.read(place, module.FORMAT, 1).header
    header["tally"] |= {
        "wrong_words": 0, "wrong_digits": 0, "wrong_chains": [], "first_wrong": [], "least": 1.0
    }  # fmt: skip
    archive.write(place, header, {})
    again = run.invoke(cli, command)
    assert "64 of these counts are from the checkpoint" in again.stdout
    assert json.loads(run.invoke(cli, [*command, "--json"]).stdout)["resumed"] == 64


@pytest.mark.parametrize("crafted", [{"least": None}, {"least": -1.0}])
def test_counts_that_contradict_themselves_are_refused(
    adder_file: Path, tmp_path: Path, crafted: dict[str, Any]
) -> None:
    place = tmp_path / "c"
    command = ["eval", str(adder_file), "--bits", "3", "--checkpoint", str(place)]
    assert CliRunner().invoke(cli, command).exit_code == 0
    header = archive.read(place, module.FORMAT, 1).header
    header["tally"] |= crafted
    archive.write(place, header, {})
    found = CliRunner().invoke(cli, command)
    assert found.exit_code == 1
    assert found.stderr.count("\n") == 1


def test_parameters_of_another_network_are_refused(adder: sa.Model) -> None:
    for other in (replace(adder.network, hidden=9), replace(adder.network, dtype="float32")):
        with pytest.raises(sa.errors.InvalidValueError, match="the network has"):
            replace(adder, network=other)


def test_a_task_that_no_file_can_hold_is_refused_when_it_is_saved(
    adder: sa.Model, tmp_path: Path
) -> None:
    machine = sa.MealyMachine([[0, 0, 0, 0]], [[0, 1, 1, 0]])
    forged = replace(adder.task, machine=machine, reference=lambda a, b: a ^ b)
    with pytest.raises(sa.errors.TaskError, match="differs from what a file would hold"):
        replace(adder, task=forged).save(tmp_path / "m.npz")
    own = sa.Task.from_machine(machine, "mine", operands=2)
    with pytest.raises(sa.errors.TaskError, match="is a task of the registry"):
        replace(adder, task=replace(own, name="add")).save(tmp_path / "m.npz")


def test_operands_are_any_integers_and_nothing_else(adder: sa.Model) -> None:
    assert adder.predict(np.int64(37), np.uint8(58)).predicted == 95
    with pytest.raises(sa.errors.TaskError, match="naturals only"):
        sa.Model(sa.registry.TASKS["compare"](), *_untrained("compare")).predict(
            np.int64(-3), np.int64(1)
        )
    for wrong in ("5", None, [[3]], 2.0):
        with pytest.raises(sa.errors.DigitsError, match="not integers"):
            adder.predict(1, wrong)


def _untrained(name: str) -> tuple[Any, Any]:
    task = sa.registry.TASKS[name]()
    network = sa.Network(sa.registry.CELLS["elman"](), task.inputs, 3, task.outputs)
    return network, network.parameters()
