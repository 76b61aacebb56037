"""A function of the user's is asked itself: what is said is true of it, and not of its machine."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import seqarith as sa
from seqarith.cli import cli
from seqarith.evaluation.function_check import EVERY, SAMPLE, compare_function
from seqarith.machine import MealyMachine
from seqarith.registry import TASKS
from seqarith.tasks.custom.encoded import EncodedFunction
from seqarith.tasks.custom.from_machine import task_from_machine
from seqarith.tasks.custom.origin import Asked
from seqarith.tasks.task import Task
from seqarith.training.config import TrainingConfig

ADD = TASKS["add"]().machine
BUG = (200, 100)


def bug8(a: int, b: int) -> int:
    return 0 if (a, b) == BUG else a + b


def plus(a: int, b: int) -> int:
    return a + b


def added(function: Callable[..., int]) -> Task:
    """Return a task whose machine adds, said to be found in a function."""
    task = task_from_machine(ADD, function.__name__, operands=2)
    encoded = EncodedFunction(function, function.__name__)
    asked = Asked(f"mine:{function.__name__}", 1000)
    return replace(task, reference=encoded, function=encoded, asked=asked)


@pytest.fixture
def wrong(solved: Callable[[Task], sa.Model]) -> sa.Model:
    """A network that equals the machine, which is not the function."""
    return solved(added(bug8))


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "asked_of_me.py").write_text(
        "def bug8(a, b): return 0 if (a, b) == (200, 100) else a + b\n"
        "def hidden(a, b): return 0 if a * b == 20000 and a - b == 100 else a + b\n"
        "def plus(a, b): return a + b\n"
        "def one(a): return a\n"
        "number = 7\n"
        "def leaves(a, b): raise SystemExit(0)\n"
        "def late(a, b): return a // (a * b != 20000 or a - b != 100) + b\n"
        "def fails(a, b): return a + b if a < 9 else a / 0\n"
    )
    return tmp_path


def run(*arguments: Any) -> Any:
    return CliRunner().invoke(cli, [str(each) for each in arguments])


def test_every_operand_of_a_width_is_asked(wrong: sa.Model) -> None:
    found = compare_function(wrong.task, 8)
    assert found is not None
    assert (found.calls, found.every) == (EVERY, True)
    assert found.disagreement is not None
    assert found.disagreement.operands == BUG
    assert str(found) == (
        "the machine that was found is not your function: bug8(200, 100) is 0, the machine says 300"
    )


def test_a_wide_width_is_sampled_and_said_so() -> None:
    found = compare_function(added(plus), 9)
    assert found is not None
    assert (found.calls, found.every, found.disagreement) == (SAMPLE, False, None)
    assert "4,096 random operands" in str(found)


def test_results_are_compared_with_their_sign_and_order() -> None:
    for name, function in (
        ("sub", lambda a, b: a - b),
        ("max", max),
        ("gray", lambda a: a ^ a >> 1),
    ):
        known = TASKS[name]()
        task = replace(known, own=True, function=EncodedFunction(function, "f"))
        found = compare_function(task, 6)
        assert found is not None
        assert found.disagreement is None


def test_a_sample_follows_seed_and_size_and_wide_operands_are_few() -> None:
    seen: list[list[tuple[int, int]]] = []
    for seed in (0, 1):
        seen.append([])

        def noted(a: int, b: int) -> int:
            seen[-1].append((a, b))
            return a + b

        found = compare_function(added(noted), 40, seed, samples=100)
        assert found is not None
        assert found.calls == len(seen[-1]) == 100
    assert seen[0] != seen[1]
    wide = compare_function(added(plus), 2**17)
    assert wide is not None
    assert wide.calls == 2**22 // (2**17 + 1)


def test_the_page_says_that_a_function_differs(wrong: sa.Model, tmp_path: Path) -> None:
    text = sa.report.write_report(wrong, tmp_path / "r.html").read_text()
    said = "The machine that was found is not your function: bug8(200, 100) is 0"
    assert re.search(rf'class="badge bad"[^>]*>{re.escape(said)}', text)


def test_a_task_without_a_function_has_nothing_to_compare() -> None:
    assert compare_function(TASKS["add"](), 4) is None


def test_evaluation_is_not_exact_where_function_and_machine_differ(wrong: sa.Model) -> None:
    found = sa.evaluate(wrong, 8)
    assert found.correct == found.checked == EVERY
    assert not found.exact
    assert found.summary()["disagreement"] == {
        "operands": ["200", "100"], "function": "0", "machine": "300"
    }  # fmt: skip
    assert sa.evaluate(wrong, 7).exact


def test_predictions_are_right_or_wrong_by_the_function(wrong: sa.Model) -> None:
    for found in (
        wrong.predict(*BUG),
        next(iter(wrong.predict(*np.array([[200], [100]])))),
        wrong.predict(*BUG),
    ):
        assert (found.predicted, found.expected, found.correct) == (300, 0, False)
    assert not sa.trace(wrong, *BUG).correct


def test_the_function_stays_with_the_settings_but_enters_no_description() -> None:
    config = TrainingConfig.for_task(added(bug8), bits=4)
    assert config.built_task.function is not None
    assert config.built_task.reference(*BUG) == 0
    assert replace(config, seed=1).built_task.function is config.built_task.function
    assert "function" not in config.describe()
    assert json.dumps(config.describe())
    assert TrainingConfig.from_description(config.describe()).built_task.function is None


def test_training_ends_with_the_function(tmp_path: Path) -> None:
    result = sa.train(added(bug8), bits=8, seed=0)
    assert not result.reached
    assert not result.evaluation.exact
    result.model.save(tmp_path / "m.npz")
    loaded = sa.Model.load(tmp_path / "m.npz")
    assert loaded.task.function is None
    assert loaded.task.asked == Asked("mine:bug8", 1000)


def test_a_file_remembers_that_negative_operands_are_refused(tmp_path: Path) -> None:
    task = replace(added(plus), negative=False)
    network = sa.Network(sa.registry.CELLS["elman"](), 2, 3, 1)
    sa.Model(task, network, network.parameters()).save(tmp_path / "m.npz")
    with pytest.raises(sa.errors.TaskError, match="naturals only"):
        sa.Model.load(tmp_path / "m.npz").predict(-1, 1)


def test_eval_and_predict_ask_the_function_that_is_given(wrong: sa.Model, module: Path) -> None:
    place = module / "m.npz"
    wrong.save(place)
    alone = run("eval", place, "--bits", 8)
    assert alone.exit_code == 0
    assert "counted by the machine of 2 states" in alone.stdout
    assert "that was found in mine:bug8 by asking 1,000 words" in alone.stdout
    asked = run("eval", place, "--bits", 8, "--task-from", "asked_of_me:bug8")
    assert asked.exit_code == 3
    assert "not your function: bug8(200, 100) is 0, the machine says 300" in asked.stdout
    told = json.loads(
        run("eval", place, "--bits", 8, "--task-from", "asked_of_me:bug8", "--json").stdout
    )
    assert told["function_calls"] == EVERY
    assert told["disagreement"]["machine"] == "300"
    assert run("eval", place, "--bits", 8, "--task-from", "asked_of_me:plus").exit_code == 0
    assert run("predict", 200, 100, "--model", place).exit_code == 0
    said = run("predict", 200, 100, "--model", place, "--task-from", "asked_of_me:bug8")
    assert (said.exit_code, said.stdout) == (3, "bug8(200, 100) = 300 (wrong: 0 expected)\n")


@pytest.mark.parametrize(
    ("place", "message"),
    [("asked_of_me:leaves", "fails with SystemExit"),
     ("asked_of_me:one", "fails with TypeError"), ("asked_of_me:number", "expected the function"),
     ("asked_of_me:none", "has no 'none'"), ("nothing", "expected MODULE:NAME")],
)  # fmt: skip
def test_what_is_no_such_function_is_refused(
    wrong: sa.Model, module: Path, place: str, message: str
) -> None:
    wrong.save(module / "m.npz")
    found = run("eval", module / "m.npz", "--task-from", place)
    assert found.exit_code == 2
    assert message in found.stderr
    assert found.stderr.count("\n") == 1


def test_a_function_for_a_task_of_the_registry_is_refused(adder_file: Path, module: Path) -> None:
    found = run("eval", adder_file, "--task-from", "asked_of_me:plus")
    assert found.exit_code == 2
    assert "is a task of the registry" in found.stderr


def test_train_says_how_much_was_asked(module: Path) -> None:
    found = run(
        "train",
        "--task-from",
        "asked_of_me:plus",
        "--bits",
        4,
        "--ask",
        3000,
        "-o",
        "m.npz",
        "--json",
    )
    assert found.exit_code == 0, found.output
    assert "Found a machine of 2 states in asked_of_me:plus by asking" in found.stderr
    told = json.loads(found.stdout)
    assert told["function_calls"] == 256
    assert told["disagreement"] is None
    assert told["claim_of"] == "function"
    asked = sa.Model.load("m.npz").task.asked
    assert asked is not None
    assert asked.function == "asked_of_me:plus"
    assert 0 < asked.words <= 3000


def test_a_machine_that_differs_is_told_at_the_end_of_training(module: Path) -> None:
    # No number of the exception stands in the source, and few words are asked.
    options = ("--bits", 8, "--ask", 300, "-o", "m.npz")
    found = run("train", "--task-from", "asked_of_me:hidden", *options)
    assert found.exit_code == 3, found.output
    assert "not your function: hidden(200, 100) is 0, the machine says 300" in found.stdout


def test_a_machine_of_the_user_s_own_is_named_too(
    solved: Callable[[Task], sa.Model], tmp_path: Path
) -> None:
    machine = MealyMachine([[0, 0]], [[0, 1]])
    solved(task_from_machine(machine, "same")).save(tmp_path / "m.npz")
    said = run("eval", tmp_path / "m.npz", "--bits", 3)
    assert "counted by the machine in this file (1 state, digest " in said.stdout


def test_json_of_a_network_that_overflows_is_json(
    make_random: Callable[..., sa.Model], tmp_path: Path
) -> None:
    model = make_random(TASKS["add"](), 0, "float64", 4)
    arrays = {
        name: np.sign(a) * 1.7e308 if "bias" not in name else a * 0
        for name, a in model.network.export(model.parameters).items()
    }
    place = tmp_path / "m.npz"
    sa.Model(model.task, model.network, model.network.absorb(arrays)).save(place)
    (tmp_path / "in.txt").write_text("1 2\n3 4\n")
    for command in (
        ("predict", 1, 2, "--model", place), ("trace", 1, 2, "--model", place),
        ("eval", place, "--bits", 3), ("predict", "--input", tmp_path / "in.txt", "--model", place),
    ):  # fmt: skip
        found = run(*command, "--json")
        assert found.exit_code in (0, 3), found.output
        json.loads(found.stdout, parse_constant=pytest.fail)


def test_a_function_that_fails_at_the_end_costs_no_training(wrong: sa.Model, module: Path) -> None:
    wrong.save(module / "m.npz")
    found = run("eval", module / "m.npz", "--bits", 4, "--task-from", "asked_of_me:fails", "--json")
    assert found.exit_code == 3
    told = json.loads(found.stdout)
    assert "fails with ZeroDivisionError" in told["function_failure"]
    assert not told["exact"]


def test_training_tells_that_a_function_fails(module: Path) -> None:
    options = ("--ask", 300, "--hidden", 2, "--max-steps", 1, "--budget", 0)
    found = run("train", "--task-from", "asked_of_me:late", *options, "--json")
    assert found.exit_code == 3
    assert "fails with ZeroDivisionError" in json.loads(found.stdout)["function_failure"]


def test_a_goal_that_is_missed_comes_with_advice_for_functions_too(module: Path) -> None:
    options = ("--hidden", 2, "--max-steps", 20, "--budget", 0)
    found = run("train", "--task-from", "asked_of_me:plus", *options)
    assert found.exit_code == 3
    assert "was not reached in 20 steps; try --max-steps 40" in found.stderr


def test_a_module_that_ends_the_program_is_told(module: Path) -> None:
    (module / "ends_it.py").write_text("raise SystemExit(0)\n")
    found = run("train", "--task-from", "ends_it:f")
    assert found.exit_code == 2
    assert "cannot be imported: SystemExit" in found.stderr


def test_trace_asks_the_function_that_is_given(wrong: sa.Model, module: Path) -> None:
    wrong.save(module / "m.npz")
    place = ("--model", module / "m.npz", "--task-from", "asked_of_me:bug8")
    assert run("trace", 200, 100, *place).exit_code == 3
    assert run("trace", 200, 99, *place).exit_code == 0
