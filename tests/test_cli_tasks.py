"""The command line for every kind of task: parameters, symbols, and tasks of the user's own."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from seqarith import cli
from seqarith.registry import TASKS

Call = Callable[..., tuple[int, str, str]]
MINE = """
import seqarith as sa

def triple(a):
    return 3 * a - 1

def product(a, b):
    return a * b

def odd(a):
    return a % 2 == 1

def half(a):
    return a // 2

number = 7
toggle = sa.MealyMachine([[0, 1], [1, 0]], [[0, 1], [1, 0]], names=("even", "odd"))
task = sa.Task.from_function(lambda a: 5 * a, name="five", notation="five {}s")
"""


@pytest.fixture
def call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Call]:
    """Run the command line in a folder with a module of one's own tasks."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "broken.py").write_text("raise RuntimeError('no\\nway')")

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["seqarith", *arguments])
        with pytest.raises(SystemExit) as exited:
            cli.main()
        out, err = capsys.readouterr()
        return int(exited.value.code or 0), out, err

    yield run
    sys.modules.pop("mine", None)


def test_parameters_go_into_the_model(call: Call) -> None:
    code, out, _ = call("train", "divide", "--param", "divisor=2", "--bits", "4", "--json")
    assert code == 0
    assert (json.loads(out)["task"], json.loads(out)["checked"]) == ("divide", 16)
    assert call("predict", "13")[1] == "13 // 2 = 6\n"
    assert "task        divide divisor=2: 2 states, delay 0\n" in call("show")[1]
    assert json.loads(call("show", "--json")[1])["task"]["parameters"] == {"divisor": 2}


def test_several_parameters_and_words(call: Call) -> None:
    asked = ("--param", "order=least", "--param", "divisor=2")
    assert call("train", "mod", *asked, "--bits", "3")[0] == 0
    assert call("predict", "7")[1] == "7 mod 2 = 1\n"
    assert json.loads(call("predict", "7", "--json")[1])["predicted"] == "1"
    assert "order=least" in call("show")[1]


def test_symbols_are_printed(call: Call) -> None:
    assert call("train", "compare", "--bits", "4")[0] == 0
    assert call("predict", "3", "5")[1] == "3 ? 5 : <\n"
    assert call("predict", "5", "5")[1] == "5 ? 5 : =\n"
    found = json.loads(call("predict", "5", "3", "--json")[1])
    assert (found["predicted"], found["expected"], found["correct"]) == (">", ">", True)
    code, out, err = call("predict", "5", "--", "-3")
    assert (code, out) == (2, "")
    assert err == "Error: a ? b takes naturals only, not -3; see 'seqarith tasks'\n"


def test_products_are_learnt_at_a_width_and_never_proved(call: Call) -> None:
    code, out, _ = call("train", "mul", "--bits", "2")
    assert code == 0
    assert "mul: exact on all 16 pairs of 2-bit operands" in out
    code, _, err = call("certify")
    assert code == 2
    assert "no finite-state machine computes a * b" in err
    assert call("eval", "--bits", "2")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("scale", "--param", "factor"), "--param 'factor': expected NAME=VALUE"),
        (("scale", "--param", "=3"), "--param '=3': expected NAME=VALUE"),
        (("scale", "--param", "factor=3", "--param", "factor=4"), "each name once"),
        (("scale", "--param", "factr=3"), "task 'scale' has no option 'factr'"),
        (("scale", "--param", "factor=x"), "factor 'x': expected an integer from -64 to 64"),
        (("scale", "--param", "factor=99"), "factor 99: expected an integer"),
        (("not", "--operands", "2"), "task 'not', ~a, always has 1"),
        (("--preset", "tutorial", "--param", "x=1"), "--preset tutorial allows only"),
        (("--task-from", "mine"), "--task-from 'mine': expected MODULE:NAME"),
        (("--task-from", "mine:nothing"), "mine has no 'nothing'"),
        (("--task-from", "nowhere:f"), "nowhere cannot be imported: ModuleNotFoundError"),
        (("--task-from", "broken:f"), "broken cannot be imported: RuntimeError"),
        (("--task-from", "mine:number"), "mine:number is a int; expected a function"),
        (("--task-from", "mine:half"), "depends on digits that come later"),
        (("--task-from", "mine:product"), "product is not finite-state, as far as 512 states"),
        (("--task-from", "mine:triple", "--param", "places=1"), "places: mine:triple takes"),
        (("--task-from", "mine:triple", "--param", "name=7"), "name '7': expected 1 to 64 letters"),
        (("--task-from", "mine:triple", "--param", "symbols=1"), "1 or its number"),
        (("--task-from", "mine:triple", "--param", "delay=x"), "delay 'x': expected an integer"),
        (("--task-from", "mine:toggle", "--param", "operands=x"), "operands 'x': expected an"),
        (("--task-from", "mine:triple", "--param", "operands=x"), "operands 'x': expected an"),
        (("--task-from", "mine:task", "--param", "delay=1"), "mine:task is a Task, which"),
        (("--task-from", "mine:toggle", "--operands", "2"), "the machine reads 2 letters"),
        (("add", "--task-from", "mine:triple"), "give task 'add' or --task-from mine:"),
        (("--task-from", "mine:triple", "--resume", "c"), "no such file"),
    ],
)  # fmt: skip
def test_mistakes_are_one_line(call: Call, arguments: tuple[str, ...], message: str) -> None:
    code, out, err = call("train", *arguments)
    assert (code, out) == (1 if "no such file" in message else 2, "")
    assert message in err
    assert len(err.splitlines()) == 1
    assert not Path("model.npz").exists()


def test_an_own_function(call: Call, tmp_path: Path) -> None:
    code, out, _ = call("train", "--task-from", "mine:triple", "--bits", "5", "--checkpoint", "c")
    assert code == 0
    assert "triple: exact on all 32 values of 5-bit operands" in out
    assert call("predict", "9")[1] == "triple(9) = 26\n"
    (tmp_path / "mine.py").unlink()
    sys.modules.pop("mine")
    assert call("eval", "--bits", "5")[0] == 0
    assert call("predict", "--", "-9")[1] == "triple(-9) = -28\n"
    assert (
        "triple: 4 states, delay 0, a custom task: the file contains its machine" in call("show")[1]
    )
    assert call("train", "--resume", "c", "--task-from", "mine:triple")[0] == 2
    assert call("train", "--resume", "c")[0] == 0


def test_an_own_task_is_proved(call: Call) -> None:
    asked = ("--param", "symbols=no,yes")
    assert call("train", "--task-from", "mine:odd", *asked)[0] == 0
    assert call("certify")[0] == 0
    assert call("verify")[0] == 0
    assert "a custom task" in call("show")[1]


@pytest.mark.parametrize(
    ("arguments", "question", "answer"),
    [
        (("mine:odd", "--param", "symbols=no,yes"), "7", "odd(7) : yes"),
        (("mine:toggle", "--param", "symbols=even,odd", "--param", "name=t"), "7", "t(7) : odd"),
        (("mine:toggle",), "3", "toggle(3) = 1"),
        (("mine:toggle",), "7", "toggle(7) = -3"),  # an odd number of ones: ones for ever
        (("mine:task",), "7", "five 7s = 35"),
        (("mine:half", "--param", "order=most"), "7", "half(7) = 3"),
        (("mine:half", "--param", "delay=1"), "7", "half(7) = 3"),
    ],
)
def test_own_tasks_of_every_kind(
    call: Call, arguments: tuple[str, ...], question: str, answer: str
) -> None:
    code, _, err = call("train", "--task-from", *arguments, "--bits", "3")
    assert code == 0, err
    assert call("predict", question)[1] == f"{answer}\n"


def test_listing(call: Call) -> None:
    code, out, _ = call("tasks")
    assert code == 0
    for name in TASKS:
        assert f"\n{name} " in "\n" + out
    assert "no finite machine, fixed width, delay 0, naturals only; for example 37**2 = 1369" in out
    assert "--divisor 3 --order most" in out


def test_listing_as_json(call: Call) -> None:
    rows = {row["task"]: row for row in json.loads(call("tasks", "--json")[1])}
    assert list(rows) == list(TASKS)
    assert rows["compare"]["result"] == ["<", "=", ">"]
    assert rows["compare"]["example"] == "37 ? 58 : <"
    assert rows["mul"]["states"] is None
    assert rows["gray"]["delay"] == 1
    assert rows["scale"]["parameters"] == {"factor": 3}


def test_all_there_is_to_know_of_one(call: Call) -> None:
    code, out, _ = call("tasks", "divide")
    assert code == 0
    assert "long division" in out
    assert json.loads(call("tasks", "divide", "--json")[1])["details"] in out
    code, _, err = call("tasks", "divde")
    assert code == 2
    assert "Did you mean 'divide'?" in err


def test_parameters_are_options_of_their_task(call: Call) -> None:
    code, out, _ = call("train", "mod", "--order", "least", "--divisor", "2", "--bits=3", "--json")
    assert (code, json.loads(out)["checked"]) == (0, 8)
    assert json.loads(call("show", "--json")[1])["task"]["parameters"] == {
        "divisor": 2,
        "order": "least",
    }


def test_the_task_may_stand_behind_its_options(call: Call) -> None:
    code, _, err = call("train", "--schedule", "linear", "--factor", "99", "scale")
    assert (code, err) == (2, "Error: factor 99: expected an integer from -64 to 64\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("scale", "--factr", "3"), "Did you mean '--factor'?"),
        (("scale", "--factor", "x"), "'x' is not a valid integer"),
        (("add", "--factor", "3"), "No such option '--factor'"),
        (("mod", "--order", "left"), "order 'left': expected least or most"),
    ],
)
def test_mistakes_in_options_of_a_task(
    call: Call, arguments: tuple[str, ...], message: str
) -> None:
    code, out, err = call("train", *arguments)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert message in err


def test_help_lists_the_parameters_of_a_task(call: Call) -> None:
    code, out, _ = call("train", "scale", "--help")
    assert code == 0
    title, option = (
        "\nParameters of scale:\n",
        "--factor INTEGER  What the operand is multiplied by.",
    )
    assert out.index(title) < out.index(option)
    assert title not in call("train", "--help")[1]
