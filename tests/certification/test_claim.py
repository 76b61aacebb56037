"""What a proof is said to be of: the registry's task, a file's machine, or a function's."""

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
from seqarith.certification.adapter import reference_machine
from seqarith.certification.claim import claim_of
from seqarith.certification.kernel.check import Accepted, Rejected
from seqarith.cli import cli
from seqarith.compose.part import Part
from seqarith.compose.provenance import provenance
from seqarith.machine import MealyMachine
from seqarith.registry import TASKS
from seqarith.tasks.custom.from_machine import task_from_machine
from seqarith.tasks.custom.origin import Asked
from seqarith.tasks.custom.reserved import owner_of
from seqarith.tasks.description import build_task, describe_task
from seqarith.tasks.task import Task

XOR = MealyMachine([[0, 0, 0, 0]], [[0, 1, 1, 0]])
SAID = {
    "task": "a ^ b is right for operands of every width",
    "machine": "Equal, at every width, to the machine in this file (1 state, digest ",
    "function": "that was found in mine:mix by asking 12,345 words",
}


def tasks() -> dict[str, Task]:
    own = task_from_machine(XOR, "mix", operands=2)
    asked = replace(own, asked=Asked("mine:mix", 12345))
    return {"task": TASKS["xor"](), "machine": own, "function": asked}


@pytest.fixture(params=list(SAID))
def proved(request: pytest.FixtureRequest, solved: Callable[[Task], sa.Model]) -> sa.Model:
    """A proved network of each kind of task; all three compute the same."""
    model = solved(tasks()[request.param])
    verdict = sa.certify(model, 10)
    assert isinstance(verdict, sa.Proved)
    assert verdict.claim.of == request.param
    return sa.attach(model, verdict.certificate)


def kind_of(model: sa.Model) -> str:
    return claim_of(model).of


def test_every_verdict_says_what_it_is_of(proved: sa.Model) -> None:
    said = SAID[kind_of(proved)]
    again = sa.verify(proved)
    assert isinstance(again, Accepted)
    assert said in again.claim
    assert said in str(again)
    assert said in sa.extract(proved).claim
    assert said in str(provenance("part", Part(proved)))
    assert said in str(sa.certify(proved, 10))


@pytest.mark.parametrize("command", ["certify", "verify", "extract"])
def test_every_command_says_what_it_is_of(proved: sa.Model, tmp_path: Path, command: str) -> None:
    place = tmp_path / "m.npz"
    proved.save(place)
    kind = kind_of(proved)
    shown = CliRunner().invoke(cli, [command, str(place)])
    assert shown.exit_code == 0
    assert SAID[kind] in shown.stdout
    options = ["--format", "json"] if command == "extract" else ["--json"]
    told = json.loads(CliRunner().invoke(cli, [command, str(place), *options]).stdout)
    assert SAID[kind] in told["claim"]
    if command != "extract":
        assert told["claim_of"] == kind
        assert "rests_on" not in told
        assert told["machine"] == proved.task.machine.digest()


def test_the_page_says_what_it_is_of(proved: sa.Model, tmp_path: Path) -> None:
    text = sa.report.write_report(proved, tmp_path / "r.html").read_text()
    assert SAID[kind_of(proved)].replace("'", "&#x27;") in text


def test_a_machine_of_ones_own_is_never_said_to_be_the_registry_s(proved: sa.Model) -> None:
    if proved.task.own:
        assert "is right" not in str(claim_of(proved))
        assert "a ^ b" not in str(claim_of(proved))


def test_what_a_claim_is_of_survives_the_file(proved: sa.Model, tmp_path: Path) -> None:
    proved.save(tmp_path / "m.npz")
    assert str(claim_of(sa.Model.load(tmp_path / "m.npz"))) == str(claim_of(proved))


def test_a_text_of_a_file_cannot_forge_a_claim(solved: Callable[[Task], sa.Model]) -> None:
    forged = Asked("f by asking 9 words, as computed in exact arithmetic.\nadd: proved", 1)
    said = str(claim_of(solved(replace(tasks()["machine"], asked=forged))))
    assert "\n" not in said
    assert said.endswith("by asking 1 words, as the file says, as computed in float64.")


@pytest.mark.parametrize("name", list(TASKS.builtin))
def test_names_of_the_registry_are_reserved(name: str) -> None:
    for written in (name, name.upper()):
        with pytest.raises(sa.errors.TaskError, match="is a task of the registry"):
            task_from_machine(XOR, written, operands=2)


@pytest.mark.parametrize(
    "notation",
    ["{} + {}", "{}+{}", "{} \uff0b {}", "({} + {}) // 2", "MAX({}, {})",
     "12*{} - {} + 34", "2*{}+3*{}", "{} \u2212 {}", "{} \u00d7 {}",
     "{} \u2795 {}", "({} + {})", "{}\u3164+\u3164{}"],
)  # fmt: skip
def test_notations_of_the_registry_are_reserved(notation: str) -> None:
    with pytest.raises(sa.errors.TaskError, match=r"is that of (task|a formula)"):
        task_from_machine(XOR, "mine", operands=2, notation=notation)


def test_every_notation_of_the_registry_has_its_owner() -> None:
    for name in TASKS.builtin:
        task = TASKS[name]()
        assert owner_of(task.notation, task.operands) is not None
    assert owner_of(TASKS["add"](operands=5).notation, 5) == "task 'add'"
    assert owner_of("mine({}, {})", 2) is None
    for name, options in (
        ("linear", {"c1": 3, "c2": 5, "c0": 7}), ("linear", {"c1": -1, "c2": 1, "c0": 0}),
        ("scale", {"factor": -7}), ("shift", {"base": 10}), ("shift", {"base": 10, "places": -2}),
        ("shift", {"places": 3}), ("divide", {"divisor": 7}), ("mod", {"divisor": 5}),
    ):  # fmt: skip
        task = TASKS[name](**options)
        assert owner_of(task.notation, task.operands) is not None, task.notation


def test_a_file_that_calls_its_machine_add_is_refused() -> None:
    told = describe_task(tasks()["machine"])
    with pytest.raises(sa.errors.TaskError, match="name 'add' is a task of the registry"):
        build_task({**told, "name": "add"})


def test_an_old_file_with_a_notation_of_the_registry_shows_its_own_name() -> None:
    told: dict[str, Any] = describe_task(tasks()["machine"])
    told["own"]["notation"] = "{} + {}"
    assert build_task(told).equation((1, 2), 3) == "mix(1, 2) = 3"


@pytest.mark.parametrize("command", [["predict", "1", "2"], ["trace", "1", "2"]])
def test_a_task_that_is_asked_for_is_the_registry_s(
    solved: Callable[[Task], sa.Model], tmp_path: Path, command: list[str]
) -> None:
    place = tmp_path / "m.npz"
    solved(tasks()["machine"]).save(place)
    found = CliRunner().invoke(cli, [*command, "--model", str(place), "--task", "mix"])
    assert found.exit_code == 2
    assert "mix" in found.stderr


def test_a_certificate_of_another_machine_is_rejected(solved: Callable[[Task], sa.Model]) -> None:
    # The same weights and regions, said of a machine that differs in one symbol.
    model = solved(tasks()["machine"])
    verdict = sa.certify(model, 10)
    assert isinstance(verdict, sa.Proved)
    other = MealyMachine(XOR.next_state, [[0, 1, 1, 1]])
    moved = replace(model, task=task_from_machine(other, "mix", operands=2))
    assert isinstance(sa.verify(sa.attach(moved, verdict.certificate)), Rejected)


def test_a_renumbering_that_changes_the_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = MealyMachine.explore

    def spoilt(*arguments: Any) -> MealyMachine:
        found = kept(*arguments)
        output = found.output.copy()
        output[-1, -1] = (output[-1, -1] + 1) % found.outputs
        return MealyMachine(found.next_state, output, found.outputs, 0, found.names)

    for name, options in (("add", {}), ("gray", {}), ("mod", {})):
        task = TASKS[name](**options)
        assert reference_machine(task).states >= task.machine.states
        with monkeypatch.context() as patched:
            patched.setattr(MealyMachine, "explore", staticmethod(spoilt))
            with pytest.raises(sa.errors.MachineError, match="not the task's"):
                reference_machine(task)


def test_a_minimisation_that_changes_the_machine_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = MealyMachine([[0, 0, 0, 0]], [[0, 1, 1, 1]])
    monkeypatch.setattr(MealyMachine, "minimised", lambda self: other)
    with pytest.raises(sa.errors.TaskError, match="not the machine that was given"):
        task_from_machine(XOR, "mix", operands=2)


def test_a_task_with_another_machine_is_not_the_registry_s(
    solved: Callable[[Task], sa.Model],
) -> None:
    forged = replace(TASKS["add"](), machine=XOR, reference=lambda a, b: a ^ b)
    verdict = sa.certify(solved(forged), 10)
    assert isinstance(verdict, sa.Proved)
    assert verdict.claim.of == "machine"
    assert "a + b" not in str(verdict)


def cancelling(make: Callable[..., sa.Model], size: float) -> sa.Model:
    """An adder with two units that are always 1, read out with opposite weights.

    In exact arithmetic they cancel. In floats what is left depends on the order of the sum.
    """
    adder = make(steep=20.0, dtype="float32")
    network = replace(adder.network, hidden=19)
    arrays = {
        name: np.zeros(shape, np.float32) for name, shape in network.exported_shapes().items()
    }
    for name, array in adder.network.export(adder.parameters).items():
        arrays[name][tuple(slice(0, n) for n in array.shape)] = array
    arrays["rnn.bias_ih_l0"][3:] = 40
    arrays["readout.weight"][0, 3:11], arrays["readout.weight"][0, 11:] = size, -size
    return sa.Model(adder.task, network, network.absorb(arrays))


@pytest.mark.parametrize("size", [2.0**26, 2.0**30, 2.0**34])
def test_a_refutation_is_wrong_when_it_is_run_alone(
    make: Callable[..., sa.Model], size: float
) -> None:
    model = cancelling(make, size)
    verdict = sa.certify(model, 2)
    if isinstance(verdict, sa.Refuted):
        assert verdict.emitted != verdict.due
        assert not model.predict(*verdict.operands).correct
    else:
        assert isinstance(verdict, sa.Undecided)
    assert sa.evaluate(model, 4).within_rounding


def test_an_ordinary_margin_is_not_within_rounding(solved: Callable[[Task], sa.Model]) -> None:
    assert not sa.evaluate(solved(TASKS["add"]()), 4).within_rounding
