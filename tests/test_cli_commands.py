"""The commands in-process: results, exit codes, JSON, and one line for every mistake."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

import seqarith as sa
from seqarith import cli
from seqarith.digits import format_integer
from seqarith.training.engine import Engine

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Call:
    """Run the command line in an empty folder; return exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    for variable in cli.BLAS_THREADS:
        monkeypatch.setenv(variable, "1")

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["seqarith", *arguments])
        with pytest.raises(SystemExit) as exited:
            cli.main()
        out, err = capsys.readouterr()
        return int(exited.value.code or 0), out, err

    return run


# ------------------------------------------------------------- help


@pytest.mark.parametrize("command", list(cli.COMMANDS))
def test_every_command_is_documented(command: str) -> None:
    found = CliRunner().invoke(cli.cli, [command, "--help"])
    assert found.exit_code == 0
    assert f"Usage: cli {command}" in found.stdout
    built = cli.cli.get_command(click.Context(cli.cli), command)
    assert built is not None
    assert built.help
    for parameter in built.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{command} {parameter.name}"


def test_help_names_every_command() -> None:
    found = CliRunner().invoke(cli.cli, ["--help"])
    for command in cli.COMMANDS:
        assert f"\n  {command} " in found.stdout


def test_summaries_of_commands_are_whole() -> None:
    shown = " ".join(CliRunner().invoke(cli.cli, ["--help"]).stdout.split())
    for name in cli.COMMANDS:
        command = cli.cli.get_command(click.Context(cli.cli), name)
        assert command is not None
        assert f" {name} {command.get_short_help_str(10_000)}" in shown


def test_help_is_a_command_too(call: Call) -> None:
    assert call("help") == call("--help")
    assert call("help", "show") == call("show", "--help")
    code, _, err = call("help", "shwo")
    assert code == 2
    assert "Did you mean 'show'?" in err


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_version(call: Call, option: str) -> None:
    assert call(option) == (0, f"seqarith, version {sa.__version__}\n", "")


# ------------------------------------------------------------- train


def test_train_saves_an_exact_model(call: Call, tmp_path: Path) -> None:
    code, out, err = call("train", "add", "--bits", "4", "--seed", "3")
    assert code == 0
    first, second, third = out.splitlines()
    assert first.startswith("add: exact on all 256 pairs of 4-bit operands, after ")
    assert second.startswith("add: proved right at every width (")
    assert third == "saved model.npz"
    assert err.startswith("step     10  loss ")
    model = sa.Model.load(tmp_path / "model.npz")
    assert sa.evaluate(model, 4).exact
    sa.train("add", bits=4, seed=3).model.save(tmp_path / "api.npz")
    assert (tmp_path / "model.npz").read_bytes() == (tmp_path / "api.npz").read_bytes()


def test_train_tells_what_it_refuted(call: Call, tmp_path: Path) -> None:
    code, out, err = call("train", "add", "--hidden", "2", "--max-steps", "60", "--budget", "1")
    assert code == 3
    lines = out.splitlines()
    assert lines[0].startswith("add: correct on ")
    assert lines[1] == "add: refuted"
    assert "expected" in lines[2]
    assert lines[-1] == "saved model.npz"
    assert "The goal (proved) was not reached in 60 steps" in err
    assert sa.Model.load(tmp_path / "model.npz").certificate is None


def test_train_without_a_budget_seeks_no_verdict(call: Call) -> None:
    options = ("--hidden", "2", "--max-steps", "20", "--budget", "0", "--json")
    code, out, _ = call("train", "add", *options)
    found = json.loads(out)
    assert code == 3
    assert (found["verdict"], found["reached"], found["counterexample"]) == (
        "undecided",
        False,
        None,
    )


def test_train_proves_at_the_end_what_it_did_not_prove_on_the_way(call: Call) -> None:
    """The last step of these is no step at which a proof is tried."""
    code, out, _ = call("train", "add", "--max-steps", "149", "--goal", "steps", "--noise", "0.3",
                        "--synchrony", "1", "-o", "steps.npz")  # fmt: skip
    assert code == 0
    assert "proved" not in out
    code, out, _ = call("train", "add", "--max-steps", "149", "--restart-after", "0", "--json",
                        "--seed", "3", "--batch-size", "3", "--budget", "5")  # fmt: skip
    found = json.loads(out)
    assert code == (0 if found["verdict"] == "proved" else 3)
    assert found["reached"] == (found["verdict"] == "proved")


def test_train_side_by_side(call: Call, tmp_path: Path) -> None:
    code, out, _ = call("train", "add", "--hidden", "3", "--candidates", "16", "--bits", "4")
    assert code == 0
    assert "add: proved right at every width" in out
    assert call("verify", "model.npz")[0] == 0
    assert sa.Model.load(tmp_path / "model.npz").network.size == 22


def test_train_until_exact_seeks_no_proof(call: Call) -> None:
    code, out, _ = call("train", "add", "--bits", "4", "--goal", "exact", "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["exact"], found["verdict"], found["regions"]) == (True, None, None)


def test_train_as_json(call: Call) -> None:
    code, out, _ = call("train", "sub", "--bits", "3", "--json", "-o", "s.npz")
    found = json.loads(out)
    wanted = {"model", "task", "bits", "steps", "examples", "seconds", "exact", "verdict"}
    assert wanted <= set(found)
    assert code == 0
    assert (found["model"], found["task"], found["bits"]) == ("s.npz", "sub", 3)
    assert found["exact"] is True
    assert found["examples"] == 64 * found["steps"]
    training = sa.Model.load("s.npz").training
    told = ("cell", "hidden", "noise", "seed")
    assert [found[key] for key in told] == [training[key] for key in told]
    assert found["noise"] > 0


def test_train_json_says_which_run_it_was(call: Call) -> None:
    _, out, _ = call("train", "add", "--base", "3", "--bits", "2", "--seed", "4", "--json")
    found = json.loads(out)
    training = sa.Model.load("model.npz").training
    for name in ("bits", "base", "operands", "cell", "hidden", "noise", "seed"):
        assert found[name] == training[name]


def test_a_proved_model_that_is_replaced_is_kept(call: Call, tmp_path: Path) -> None:
    first = ("train", "add", "--bits", "4")
    assert call(*first)[0] == 0
    proved = (tmp_path / "model.npz").read_bytes()
    assert "model.npz" not in call(*first)[2], "the same model again"
    _, _, err = call("train", "xor", "--bits", "4")
    told = "model.npz was a proved model of another run; that model is now model.npz.bak.\n"
    assert err.endswith(told)
    assert (tmp_path / "model.npz.bak").read_bytes() == proved
    assert sa.Model.load(tmp_path / "model.npz").task.name == "xor"


def test_a_model_without_a_proof_is_replaced(call: Call, tmp_path: Path) -> None:
    (tmp_path / "model.npz").write_text("no model")
    for _ in range(2):
        code, _, err = call("train", "add", "--max-steps", "1", "--goal", "steps")
        assert (code, err) == (0, "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.npz"]


def test_train_that_runs_out_of_steps(call: Call, tmp_path: Path) -> None:
    code, out, err = call("train", "add", "--max-steps", "5")
    assert code == 3
    assert "of all 65,536 pairs" in out
    assert "was not reached in 5 steps" in err
    assert sa.Model.load(tmp_path / "model.npz").training["steps"] == 5


def test_train_takes_every_option(call: Call, tmp_path: Path) -> None:
    code, _, err = call(
        *("train", "add", "--bits", "2", "--base", "3", "--operands", "3", "--cell", "elman"),
        *("--activation", "sigmoid", "--hidden", "6", "--loss", "cross_entropy"),
        *("--optimizer", "sgd", "--momentum", "0.8", "--nesterov", "--lr", "0.2"),
        *("--schedule", "linear", "--clip", "0", "--batch-size", "7", "--max-steps", "11"),
        *("--goal", "steps", "--seed", "5", "--dtype", "float64", "--output", "o.npz"),
    )
    assert code == 0, err
    training = sa.Model.load(tmp_path / "o.npz").training
    expected = {
        "task": "add", "bits": 2, "base": 3, "operands": 3, "cell": "elman",
        "cell_options": {"activation": "sigmoid"}, "hidden": 6, "loss": "cross_entropy",
        "optimizer": "sgd", "optimizer_options": {"momentum": 0.8, "nesterov": True},
        "learning_rate": 0.2, "schedule": "linear", "clip": None, "batch_size": 7, "max_steps": 11,
        "goal": "steps", "seed": 5, "dtype": "float64", "steps": 11,
    }  # fmt: skip
    assert expected.items() <= dict(training).items()


def test_former_names_of_options_work_with_a_notice(call: Call, tmp_path: Path) -> None:
    code, _, err = call(
        *("train", "add", "--until", "steps", "--restarts=2", "--max-steps", "3", "--bits", "2")
    )
    assert code == 0
    assert err.splitlines() == [
        "--until is now --goal; the old name works until 0.7.",
        "--restarts is now --candidates; the old name works until 0.7.",
    ]
    training = sa.Model.load(tmp_path / "model.npz").training
    assert (training["goal"], training["candidates"]) == ("steps", 2)


def test_digits_and_bits_are_one_option(call: Call, tmp_path: Path) -> None:
    assert call("train", "add", "--digits", "3", "--goal", "exact")[0] == 0
    assert sa.Model.load(tmp_path / "model.npz").training["bits"] == 3
    assert json.loads(call("eval", "--digits", "2", "--json")[1])["bits"] == 2


def test_the_preset_takes_what_it_has(call: Call, tmp_path: Path) -> None:
    arguments = ("train", "add", "--preset", "tutorial", "--max-steps", "3")
    assert call(*arguments, "-o", "plain.npz")[0] == 0
    repeated = ("--bits", "8", "--hidden", "16", "--activation", "sigmoid", "--lr", "0.1")
    code, _, err = call(*arguments, *repeated, "--clip", "0", "-o", "repeated.npz")
    assert code == 0, err
    assert (tmp_path / "plain.npz").read_bytes() == (tmp_path / "repeated.npz").read_bytes()


def test_help_groups_the_options_and_cuts_no_summary(call: Call) -> None:
    _, out, _ = call("train", "--help")
    titles = [line for line in out.splitlines() if line and line[0] != " " and line[-1] == ":"]
    assert titles == ["Task:", "Network:", "Training:", "Proof:", "Files:", "Other:"]
    _, out, _ = call("--help")
    assert "..." not in out.partition("Commands:")[2]
    assert "or find a wrong result." in " ".join(out.split())


def test_train_log(call: Call, tmp_path: Path) -> None:
    code, _, _ = call("train", "add", "--max-steps", "160", "--goal", "steps", "--log", "run.jsonl")
    assert code == 0
    records = [json.loads(line) for line in (tmp_path / "run.jsonl").read_text().splitlines()]
    assert [record["step"] for record in records] == list(range(10, 161, 10))
    keys = {"step", "loss", "accuracy", "digit_accuracy", "min_margin", "seconds"}
    assert all(keys <= set(r) for r in records)
    run = {"task": "add", "base": 2, "operands": 2, "bits": 8, "cell": "elman", "hidden": 16}
    assert all({**run, "seed": 0}.items() <= r.items() for r in records)
    assert sa.RunLog.read(tmp_path / "run.jsonl").run == {**run, "seed": 0}


def test_a_log_is_not_written_over(call: Call, tmp_path: Path) -> None:
    steps = (
        "--max-steps",
        "60",
        "--goal",
        "steps",
        "--checkpoint",
        "c",
        "--checkpoint-every",
        "50",
    )
    assert call("train", "add", *steps, "--log", "l.jsonl")[0] == 0
    before = (tmp_path / "l.jsonl").read_bytes()
    code, _, err = call("train", "sub", "--log", "l.jsonl")
    assert (code, err.count("\n")) == (2, 1)
    assert "--log l.jsonl: this file exists" in err
    assert "--resume" in err
    (tmp_path / "other.jsonl").write_bytes(before.replace(b'"seed": 0', b'"seed": 7'))
    resumed = ("train", "--resume", "c", "--max-steps", "110")
    code, _, err = call(*resumed, "--log", "other.jsonl")
    assert code == 2
    assert "is the log of another run, of seed 7, not 0" in err
    (tmp_path / "notes.txt").write_text("not to be lost\nnever\n")
    code, _, err = call(*resumed, "--log", "notes.txt")
    assert code == 2
    assert "--log notes.txt, line 1: expected an object with a step" in err
    assert (tmp_path / "notes.txt").read_text() == "not to be lost\nnever\n"
    assert (tmp_path / "l.jsonl").read_bytes() == before
    assert call(*resumed, "--log", "l.jsonl")[0] == 0
    assert sa.RunLog.read(tmp_path / "l.jsonl").steps.tolist() == list(range(10, 111, 10))


def test_an_empty_file_may_become_a_log(call: Call, tmp_path: Path) -> None:
    (tmp_path / "l.jsonl").touch()
    assert call("train", "add", "--bits", "3", "--log", "l.jsonl")[0] == 0


def test_the_tutorial(call: Call, tmp_path: Path) -> None:
    code, _, err = call(
        *("train", "add", "--preset", "tutorial", "--seed", "0"),
        *("--max-steps", "2001", "--log", "t.jsonl"),
    )
    assert code == 0
    records = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text().splitlines()]
    assert [record["iteration"] for record in records] == [0, 1000, 2000]
    assert {"iteration", "error", "a", "b", "predicted", "expected"} <= set(records[0])
    assert records[0]["error"] == pytest.approx(3.45638663235765, abs=1e-9)
    assert "9 + 60 = 1" in err
    assert sa.Model.load(tmp_path / "model.npz").training["preset"] == "tutorial"


def stop_after(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Let Ctrl-C come after a step."""
    save = Engine._save

    def stopped(self: Any, hooks: sa.Hooks) -> None:
        if self.step == step:
            hooks.stop = lambda: True
        save(self, hooks)

    monkeypatch.setattr(Engine, "_save", stopped)


def test_a_new_beginning_is_told(call: Call, tmp_path: Path) -> None:
    narrow = ("train", "add", "--hidden", "1", "--restart-after", "30", "--max-steps", "70")
    code, _, err = call(*narrow, "--budget", "0", "--log", "l.jsonl")
    assert code == 3
    assert "step     31  goal not reached: restarts from other weights (attempt 2)" in err
    records = [json.loads(line) for line in (tmp_path / "l.jsonl").read_text().splitlines()]
    assert [(each["step"], each.get("attempt")) for each in records] == [
        (10, None), (20, None), (30, None), (31, 2), (40, None), (50, None), (60, None), (61, 3),
        (70, None),
    ]  # fmt: skip


RUN = ("train", "add", "--goal", "steps", "--max-steps", "300", "--hidden", "8")
KEPT = ("--checkpoint", "c", "--checkpoint-every", "40", "--log", "l.jsonl")


def test_interrupted_and_resumed(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call(*RUN, "-o", "whole.npz")[0] == 0
    with monkeypatch.context() as patch:
        stop_after(patch, 130)
        code, out, err = call(*RUN, *KEPT, "-o", "a model.npz")
    assert (code, out) == (130, "")
    again = "seqarith train --resume c --log l.jsonl -o 'a model.npz'"
    assert err.splitlines()[-1] == f"Interrupted after step 130; resume with: {again}"
    assert not (tmp_path / "model.npz").exists()
    # What a run wrote after its last checkpoint before it was killed is written again, once.
    last = json.loads((tmp_path / "l.jsonl").read_text().splitlines()[-1])
    with (tmp_path / "l.jsonl").open("a") as log:
        log.write(json.dumps({**last, "step": 150}) + '\n{"step": 2')
    code, out, err = call("train", "--resume", "c", *KEPT)
    assert code == 0
    assert "after 300 steps" in out
    assert (tmp_path / "model.npz").read_bytes() == (tmp_path / "whole.npz").read_bytes()
    records = [json.loads(line) for line in (tmp_path / "l.jsonl").read_text().splitlines()]
    assert [record["step"] for record in records] == [*range(10, 200, 10), *range(200, 301, 50)]
    assert records[2]["loss"] != 1


def test_interrupted_without_a_checkpoint(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    stop_after(monkeypatch, 3)
    code, _, err = call(*RUN)
    assert code == 130
    assert err.splitlines()[-1] == "Interrupted after step 3; no --checkpoint, so it is lost"


def test_a_resumed_run_may_go_further(call: Call, tmp_path: Path) -> None:
    assert call(*RUN, "--checkpoint", "c")[0] == 0
    code, out, _ = call("train", "--resume", "c", "--max-steps", "350", "--json")
    assert code == 0
    assert json.loads(out)["steps"] == 350
    call("train", "add", "--goal", "steps", "--max-steps", "350", "--hidden", "8", "-o", "w")
    arrays = [sa.Model.load(tmp_path / name).parameters.flat for name in ("w", "model.npz")]
    assert arrays[0].tobytes() == arrays[1].tobytes()


@pytest.mark.parametrize(
    "changes",
    [("--seed", "1"), ("--bits", "9"), ("--hidden", "9"), ("--lr", "0.5"), ("--batch-size", "3"),
     ("--optimizer", "sgd"), ("--dtype", "float64"), ("--activation", "sigmoid"), ("sub",)],
)  # fmt: skip
def test_a_checkpoint_of_another_run(call: Call, tmp_path: Path, changes: tuple[str, ...]) -> None:
    assert call(*RUN, "--checkpoint", "c", "--max-steps", "100")[0] == 0
    before = (tmp_path / "model.npz").read_bytes()
    code, out, err = call("train", "--resume", "c", *changes)
    assert (code, out) == (1, "")
    assert "checkpoint is of another run" in err
    assert len(err.splitlines()) == 1
    assert (tmp_path / "model.npz").read_bytes() == before


def test_divergence(call: Call, tmp_path: Path) -> None:
    code, out, err = call(
        *("train", "add", "--optimizer", "sgd", "--momentum", "0.99", "--lr", "1e38"),
        *("--clip", "0", "--checkpoint", "c", "--checkpoint-every", "1"),
    )
    assert (code, out) == (1, "")
    assert "diverged" in err.splitlines()[-1]
    assert not (tmp_path / "model.npz").exists()
    if (tmp_path / "c").exists():
        sa.Checkpoint.load(tmp_path / "c")


def test_a_checkpoint_that_fails_is_named_and_not_the_log(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Any, path: Any) -> None:
        raise sa.errors.OutputError(f"cannot write {path}: No space left on device")

    monkeypatch.setattr(sa.Checkpoint, "save", fail)
    code, _, err = call(*RUN, *KEPT)
    assert code == 1
    assert err.splitlines()[-1] == "Error: cannot write c: No space left on device"


# ------------------------------------------------------------- predict


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("37", "58"), "37 + 58 = 95"),
        (("-3", "5"), "-3 + 5 = 2"),
        (("5", "-3"), "5 + (-3) = 2"),
        (("-5", "-3"), "-5 + (-3) = -8"),
        (("0x10", "0b11"), "16 + 3 = 19"),
        (("-0x10", "+3"), "-16 + 3 = -13"),
        (("0", "0"), "0 + 0 = 0"),
        (("--", "-1", "-1"), "-1 + (-1) = -2"),
        ((str(2**200), str(2**200)), f"{2**200} + {2**200} = {2**201}"),
    ],
)
def test_predict(call: Call, adder_file: Path, arguments: tuple[str, ...], line: str) -> None:
    assert call("predict", "--model", str(adder_file), *arguments) == (0, f"{line}\n", "")


def test_predict_thousands_of_digits(call: Call, adder_file: Path) -> None:
    nines = "9" * 6000
    code, out, _ = call("predict", "--model", str(adder_file), nines, "1")
    assert code == 0
    assert out.endswith(f" = 1{'0' * 6000}\n")
    code, out, _ = call("predict", "--model", str(adder_file), nines, "1", "--json")
    assert json.loads(out)["expected"] == format_integer(10**6000)


def test_predict_before_anything_was_trained(call: Call) -> None:
    code, out, err = call("predict", "37", "58")
    assert (code, out) == (0, "37 + 58 = 95\n")
    assert "comes with seqarith" in err
    code, out, err = call("predict", "--task", "sub", "3", "5")
    assert (code, out) == (0, "3 - 5 = -2\n")


def test_predict_takes_the_model_here(call: Call, wrong_adder: sa.Model, tmp_path: Path) -> None:
    wrong_adder.save(tmp_path / "model.npz")
    code, out, err = call("predict", "3", "3")
    assert (code, out, err) == (3, "3 + 3 = 4 (wrong: 6 expected)\n", "")
    # Of another task than the one here: the one that ships.
    assert call("predict", "--task", "sub", "3", "3")[:2] == (0, "3 - 3 = 0\n")


def test_predict_as_json(call: Call, adder_file: Path, wrong_file: Path) -> None:
    code, out, _ = call("predict", "--json", "--model", str(adder_file), "37", "-58")
    found = json.loads(out)
    margin = found.pop("min_margin")
    assert margin > 0
    assert found == {
        "task": "add", "operands": ["37", "-58"], "predicted": "-21", "expected": "-21",
        "correct": True,
    }  # fmt: skip
    code, out, _ = call("predict", "--json", "--model", str(wrong_file), "3", "3")
    assert code == 3
    assert (json.loads(out)["correct"], json.loads(out)["predicted"]) == (False, "4")


PAIRS = "a,b\n37, 58\n\n-1;1\n0x10 0b1\r\n 3 , 3 \n"
SUMS = ["37 + 58 = 95", "-1 + 1 = 0", "16 + 1 = 17", "3 + 3 = 6"]


def test_predict_pairs_from_a_file(call: Call, adder_file: Path, tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_text(PAIRS)
    code, out, err = call("predict", "--model", str(adder_file), "--input", "pairs.csv")
    assert (code, out.splitlines(), err) == (0, SUMS, "")
    code, out, _ = call("predict", "--model", str(adder_file), "--input", "pairs.csv", "--json")
    assert [row["predicted"] for row in json.loads(out)] == ["95", "0", "17", "6"]
    (tmp_path / "none.csv").write_text("")
    for extra, expected in (((), ""), (("--json",), "[]\n")):
        found = call("predict", "--model", str(adder_file), "--input", "none.csv", *extra)
        assert found == (0, expected, "")


def test_predict_many_pairs(call: Call, adder_file: Path, tmp_path: Path) -> None:
    count = 9000  # more than are read at once
    (tmp_path / "p").write_text("".join(f"{n} {n * n}\n" for n in range(count)))
    _, out, _ = call("predict", "--model", str(adder_file), "--input", "p", "--json")
    rows = json.loads(out)
    assert [row["predicted"] for row in rows] == [str(n + n * n) for n in range(count)]


def test_predict_says_how_many_are_wrong(call: Call, wrong_file: Path, tmp_path: Path) -> None:
    (tmp_path / "p").write_text("3 3\n1 1\n7 7\n")
    code, out, err = call("predict", "--model", str(wrong_file), "--input", "p")
    assert code == 3
    assert out.splitlines()[1] == "1 + 1 = 2"
    assert out.count("(wrong: ") == 2
    assert err == "2 of 3 results are wrong.\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 2\n3\n", "p, line 2: a + b takes 2 operands, not 1"),
        ("1 2\n3 4 5\n", "p, line 2: a + b takes 2 operands, not 3"),
        ("1 2\n\n3 x\n", "p, line 3: 'x' is not an integer"),
        ("1 2\n1.5 2\n", "p, line 2: '1.5' is not an integer"),
    ],
)
def test_lines_that_are_no_pairs(
    call: Call, adder_file: Path, tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "p").write_text(text)
    code, _, err = call("predict", "--model", str(adder_file), "--input", "p")
    assert code == 2
    assert err.startswith(f"Error: {message}")
    assert len(err.splitlines()) == 1


def test_a_list_is_whole_where_a_line_is_wrong(call: Call, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("1 2\n3 x\n")
    code, out, err = call("predict", "--input", "f", "--json")
    assert code == 2
    assert [row["predicted"] for row in json.loads(out)] == ["3"]
    assert "f, line 2: 'x' is not an integer" in err


def test_input_that_is_no_text(call: Call, adder_file: Path, tmp_path: Path) -> None:
    (tmp_path / "p").write_bytes(b"1 2\n\xff\xfe\x00 3\n")
    code, _, err = call("predict", "--model", str(adder_file), "--input", "p")
    assert code == 2
    assert "line 2: " in err
    assert "is not an integer" in err


# ------------------------------------------------------------- eval, show, lists


def test_eval(call: Call, adder_file: Path, wrong_file: Path) -> None:
    code, out, err = call("eval", str(adder_file))
    assert (code, err) == (0, "")
    assert out.startswith("add: all 65,536 pairs of 8-bit operands (exhaustive)\n")
    assert "100.0000%" in out
    code, out, _ = call("eval", str(wrong_file), "--bits", "3")
    assert code == 3
    assert "errors by length of the longest carry chain:" in out
    assert "3 + 3 = 4 (wrong: 6 expected)" in out


def test_eval_as_json(call: Call, wrong_file: Path) -> None:
    code, out, _ = call("eval", str(wrong_file), "--bits", "4", "--json")
    found = json.loads(out)
    assert code == 3
    assert {
        "task", "bits", "mode", "checked", "correct", "accuracy", "digit_accuracy", "min_margin",
        "exact", "counterexamples",
    } <= set(found)  # fmt: skip
    expected = sa.evaluate(sa.Model.load(wrong_file), 4)
    assert (found["checked"], found["correct"]) == (256, expected.correct)
    assert (found["mode"], found["exact"]) == ("exhaustive", False)
    first = found["counterexamples"][0]
    assert (first["operands"], first["predicted"], first["expected"]) == (["3", "3"], "4", "6")


def test_eval_of_a_sample_says_so(call: Call, adder_file: Path) -> None:
    code, out, _ = call("eval", str(adder_file), "--bits", "100", "--samples", "50")
    assert code == 0
    assert "50 random pairs of 100-bit operands (sampled" in out
    code, out, _ = call("eval", str(adder_file), "--bits", "100", "--samples", "50", "--json")
    assert json.loads(out)["mode"] == "sampled"


def test_show(call: Call, adder_file: Path) -> None:
    code, out, _ = call("show", str(adder_file))
    assert code == 0
    for part in ("a + b, base 2", "elman", "3 hidden", "rnn.weight_hh_l0 (3, 3)", "float64"):
        assert part in out
    code, out, _ = call("show", str(adder_file), "--json")
    found = json.loads(out)
    assert found["task"]["name"] == "add"
    assert found["arrays"]["readout.weight"] == [1, 3]
    assert found["parameters"] == 3 * 2 + 3 * 3 + 3 + 3 + 1


@pytest.mark.parametrize("command", ["tasks", "cells", "losses", "optimizers", "schedules"])
def test_lists(call: Call, command: str) -> None:
    registry = getattr(sa.registry, command.upper())
    code, out, _ = call(command)
    assert code == 0
    code, as_json, _ = call(command, "--json")
    rows = json.loads(as_json)
    assert [row[registry.kind] for row in rows] == list(registry)
    for name, row in zip(registry, rows, strict=True):
        assert name in out
        assert row["summary"].endswith(".")


def test_examples_of_tasks_are_right(call: Call) -> None:
    rows = {row["task"]: row for row in json.loads(call("tasks", "--json")[1])}
    assert rows["add"]["example"] == "37 + 58 = 95"
    assert rows["sub"]["example"] == "37 - 58 = -21"


# ------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("eval", "--bits", "2"), "add: all 16 pairs"),
        (("verify",), "add: proved."),
        (("extract",), "add: a machine of 2 states"),
        (("show",), "add.npz: a + b, base 2"),
        (("report",), ""),
    ],
)
def test_without_a_model_file_the_shipped_adder_is_taken(
    call: Call, command: tuple[str, ...], said: str
) -> None:
    code, out, err = call(*command)
    assert code == 0
    assert said in out
    assert err.startswith("Using the add model that comes with seqarith")


def test_show_counts_one_thing_in_the_singular(call: Call, adder_file: Path) -> None:
    out = call("show", str(adder_file))[1]
    assert "2 inputs, 3 hidden, 1 output, " in out


MISTAKES: list[tuple[tuple[str, ...], int, str]] = [
    ((), 2, ""),
    (("evl",), 2, "Did you mean 'eval'?"),
    (("train",), 2, "TASK"),
    (("train", "ad"), 2, "Did you mean 'add'?"),
    (("train", "add", "sub"), 2, "sub"),
    (("train", "add", "--cell", "elmann"), 2, "Did you mean 'elman'?"),
    (("train", "add", "--cell", "rnn"), 2, "Did you mean 'elman'?"),
    (("train", "add", "--cell", "LSTM"), 2, "Did you mean 'lstm'?"),
    (("train", "add", "--digits", "onehot"), 2, "the encoding of digits is --input-encoding"),
    (("train", "add", "--preset", "tutorial", "--bits", "9"), 2, "remove --digits/--bits"),
    (("train", "add", "--loss", "crossentropy"), 2, "Did you mean 'cross_entropy'?"),
    (("train", "add", "--optimizer", "adm"), 2, "Did you mean 'adam'?"),
    (("train", "add", "--schedule", "cosin"), 2, "Did you mean 'cosine'?"),
    (("train", "add", "--activation", "tahn"), 2, "Did you mean 'tanh'?"),
    (("train", "add", "--goal", "forever"), 2, "exact"),
    (("train", "add", "--dtype", "float16"), 2, "float32 or float64"),
    (("train", "add", "--preset", "tutoral"), 2, "tutorial"),
    (("train", "add", "--bits", "0"), 2, "0"),
    (("train", "add", "--bits", "-8"), 2, "-8"),
    (("train", "add", "--bits", "99999999"), 2, "99999999"),
    (("train", "add", "--bits", "eight"), 2, "eight"),
    (("train", "add", "--hidden", "0"), 2, "expected an integer from 1 to 4096"),
    (("train", "add", "--hidden", "1000000"), 2, "hidden 1000000: expected"),
    (("train", "add", "--base", "1"), 2, "base 1"),
    (("train", "add", "--base", "17"), 2, "base 17"),
    (("train", "add", "--operands", "1"), 2, "operands 1:"),
    (("train", "add", "--operands", "99"), 2, "operands 99:"),
    (("train", "add", "--base", "16", "--operands", "5"), 2, "letters"),
    (("train", "add", "--batch-size", "0"), 2, "batch size 0"),
    (("train", "add", "--max-steps", "0"), 2, "max steps 0"),
    (("train", "add", "--lr", "0"), 2, "learning rate 0"),
    (("train", "add", "--lr", "nan"), 2, "learning rate nan"),
    (("train", "add", "--lr", "-1"), 2, "learning rate -1"),
    (("train", "add", "--clip", "-1"), 2, "clip -1"),
    (("train", "add", "--clip", "nan"), 2, "clip nan"),
    (("train", "add", "--seed", "-1"), 2, "seed -1"),
    (("train", "add", "--seed", "99999999999"), 2, "seed 99999999999"),
    (("train", "add", "--momentum", "0.9"), 2, "momentum"),
    (("train", "add", "--optimizer", "sgd", "--momentum", "2"), 2, "momentum 2"),
    (("train", "add", "--optimizer", "sgd", "--nesterov"), 2, "needs momentum"),
    (("train", "add", "--base", "3", "--loss", "binary_cross_entropy"), 2, "use cross_entropy"),
    (("train", "add", "--checkpoint-every", "0"), 2, "expected 1 or more"),
    (("train", "add", "--hiden", "4"), 2, "--hiden"),
    (("train", "add", "--preset", "tutorial", "--hidden", "4"), 2, "remove --hidden"),
    (("train", "sub", "--preset", "tutorial"), 2, "remove task 'sub'"),
    (("train", "add", "-o", "missing/m.npz"), 1, "cannot write missing/m.npz"),
    (("train", "add", "-o", "."), 1, "cannot write ."),
    (("train", "add", "--log", "missing/l"), 1, "cannot write missing/l"),
    (("train", "add", "--checkpoint", "missing/c"), 1, "cannot write missing/c"),
    (("train", "--resume", "missing"), 1, "missing: no such file"),
    (("train", "--resume", "empty"), 1, "empty"),
    (("train", "--resume", "adder.npz"), 1, "not a seqarith-checkpoint file"),
    (("certify",), 1, "model.npz: no such file; give a model file, or train one"),
    (("eval", "missing"), 1, "missing: no such file"),
    (("eval", "empty"), 1, "empty"),
    (("eval", "truncated"), 1, "truncated"),
    (("eval", "text"), 1, "text"),
    (("eval", "."), 1, "not a file"),
    (("eval", "adder.npz", "--bits", "0"), 2, "operands of 0 digits"),
    (("eval", "adder.npz", "--bits", "99999999"), 2, "99999999"),
    (("eval", "adder.npz", "--bits", "1000000000000"), 2, "operands of 1000000000000 digits"),
    (("eval", "adder.npz", "--jobs", "0"), 2, "0 jobs: expected 1 or more"),
    (("eval", "adder.npz", "--bits", "40", "--exhaustive"), 2, "more than 2**62 tuples"),
    (("eval", "adder.npz", "--exhaustive", "--samples", "5"), 2, "choose one of the two"),
    (("eval", "adder.npz", "--bits", "60", "--checkpoint", "c"), 2, "only an exhaustive"),
    (("eval", "adder.npz", "--checkpoint", "text"), 1, "text"),
    (("predict", "--task", "ad", "1", "2"), 2, "Did you mean 'add'?"),
    (("train", "add", "--log", "adder.npz"), 1, "adder.npz is a model or a checkpoint"),
    (("train", "add", "--checkpoint", "adder.npz"), 2, "this file exists"),
    (("train", "add", "--log", "x", "-o", "./x"), 2, "expected different files"),
    (("report", "adder.npz", "-o", "adder.npz"), 1, "adder.npz is a model or a checkpoint"),
    (("eval", "adder.npz", "--samples", "0"), 2, "0 samples"),
    (("eval", "adder.npz", "--seed", "-1"), 2, "seed -1"),
    (("show", "missing"), 1, "no such file"),
    (("show", "truncated"), 1, "truncated"),
    (("predict",), 2, "seqarith predict 37 58"),
    (("predict", "1"), 2, "2 operands"),
    (("predict", "1", "2", "3"), 2, "2 operands"),
    (("predict", "1", "two"), 2, "'two' is not an integer"),
    (("predict", "1.5", "2"), 2, "'1.5' is not an integer"),
    (("predict", "", "2"), 2, "'' is not an integer"),
    (("predict", "1", "2", "--modle", "x"), 2, "--modle"),
    (("predict", "1", "2", "--model", "missing"), 1, "no such file"),
    (("predict", "1", "2", "--model", "truncated"), 1, "truncated"),
    (("predict", "1", "2", "--task", "mul"), 2, "mul"),
    (("predict", "1", "2", "--task", "sub", "--model", "adder.npz"), 2, "not of sub"),
    (("predict", "--input", "missing"), 1, "missing: cannot be read"),
    (("predict", "--input", "."), 1, "cannot be read"),
    (("predict", "--input", "adder.npz"), 2, "adder.npz"),
    (("predict", "1", "2", "--input", "text"), 2, "give operands or --input, not both"),
]


@pytest.mark.parametrize(("arguments", "code", "message"), MISTAKES, ids=lambda v: str(v)[:60])
def test_mistakes_are_one_line(
    call: Call, adder_file: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    folder = adder_file.parent
    (folder / "empty").touch()
    (folder / "text").write_text("hello")
    (folder / "truncated").write_bytes(adder_file.read_bytes()[:500])
    before = sorted(path.name for path in folder.iterdir())
    found, out, err = call(*arguments)
    assert found == code
    assert message in err
    assert "Traceback" not in err
    if arguments:
        lines = [line for line in err.splitlines() if not line.startswith("Using the ")]
        assert len(lines) == 1
        assert lines[0].startswith("Error: ")
        assert out == ""
    assert sorted(path.name for path in folder.iterdir()) == before
