"""The command line as a process: start-up, signals, pipes, full disks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import seqarith as sa

Shell = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--help",), 0),
        (("--version",), 0),
        (("train", "--help"), 0),
        (("predict", "-h"), 0),
        (("trace", "--help"), 0),
        (("plot", "--help"), 0),
        (("plot", "flowers"), 2),
        (("report", "--help"), 0),
        (("train", "add", "--hidden", "x"), 2),
        (("train",), 2),
        (("predict",), 2),
        (("evl",), 2),
    ],
    ids=str,
)
def test_help_and_usage_errors_start_without_numpy(
    tmp_path: Path, environment: dict[str, str], arguments: tuple[str, ...], code: int
) -> None:
    program = (
        "import sys\nfrom seqarith.cli import main\n"
        "try:\n    main()\nfinally:\n    print('numpy' in sys.modules)"
    )
    found = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True, text=True, env=environment, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert found.returncode == code, found.stderr
    assert found.stdout.splitlines()[-1] == "False"
    if code:
        assert found.stderr.startswith("Error: ")
        assert len(found.stderr.splitlines()) == 1


FEW_RUNS = (
    "training.interval_training training.checkpoint training.seed_batch training.tutorial "
    "tasks.custom.from_machine cells.gru cells.lstm"
)


def test_a_run_imports_nothing_that_only_others_need(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    code = (
        "import sys; from seqarith.cli import cli\n"
        "cli.main(['train', 'add', '--bits', '4'], standalone_mode=False)\n"
        "print(*sys.modules, sep='\\n')"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, env=environment, cwd=tmp_path, check=True,
    )  # fmt: skip
    modules = set(found.stdout.splitlines())
    assert "seqarith.training.trainer" in modules
    assert not modules & {f"seqarith.{name}" for name in FEW_RUNS.split()}


def test_results_on_stdout_and_the_rest_on_stderr(shell: Shell, tmp_path: Path) -> None:
    found = shell("train", "add", "--bits", "4", "--json")
    assert found.returncode == 0
    assert json.loads(found.stdout)["exact"] is True
    assert "\r" not in found.stderr
    assert "\x1b" not in found.stderr
    found = shell("predict", "-", input="37 58\n1 1\n")
    assert (found.returncode, found.stdout, found.stderr) == (0, "37 + 58 = 95\n1 + 1 = 2\n", "")
    found = shell("eval", "--bits", "4")
    assert (found.returncode, found.stderr) == (0, "")
    found = shell("eval", "missing.npz")
    assert (found.returncode, found.stdout) == (1, "")
    assert found.stderr == "Error: missing.npz: no such file\n"


def test_a_model_that_errs(shell: Shell, wrong_file: Path) -> None:
    found = shell("predict", "--model", str(wrong_file), "3", "3")
    assert (found.returncode, found.stdout) == (3, "3 + 3 = 4 (wrong: 6 expected)\n")


def test_a_closed_pipe(tmp_path: Path, environment: dict[str, str], adder_file: Path) -> None:
    (tmp_path / "pairs").write_text("1 2\n" * 60_000)
    command = [sys.executable, "-m", "seqarith", "predict", "--model", str(adder_file)]
    process = subprocess.Popen(
        [*command, "--input", "pairs"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, cwd=tmp_path,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == b"1 + 2 = 3\n"
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(60) == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a place that is always full")
def test_a_full_disk(shell: Shell, tmp_path: Path, adder_file: Path) -> None:
    found = shell("train", "add", "--bits", "3", "--max-steps", "60", "--log", "/dev/full")
    assert found.returncode == 1
    last = found.stderr.splitlines()[-1]
    assert last.startswith("Error: cannot write /dev/full: ")
    assert "Traceback" not in found.stderr
    assert not (tmp_path / "model.npz").exists()
    with open("/dev/full", "w") as full:
        found = subprocess.run(
            [sys.executable, "-m", "seqarith", "show", str(adder_file)],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert found.returncode == 1
    assert found.stderr == "Error: No space left on device\n"


RUN = ("add", "--goal", "steps", "--max-steps", "12000", "--seed", "4")


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "m.npz"
    config = sa.TrainingConfig(goal="steps", max_steps=12000, seed=4)
    sa.Trainer(config).run().model.save(path)
    return path.read_bytes()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_ended_from_outside_and_resumed(
    shell: Shell, tmp_path: Path, environment: dict[str, str], uninterrupted: bytes, sent: Any
) -> None:
    kept = ("--checkpoint", "c", "--checkpoint-every", "50", "--log", "l.jsonl")
    process = subprocess.Popen(
        [sys.executable, "-m", "seqarith", "train", *RUN, *kept],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment, cwd=tmp_path,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not (tmp_path / "c").exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(0.05)
    process.send_signal(sent)
    out, err = process.communicate(timeout=60)
    assert out == ""
    assert not (tmp_path / "model.npz").exists()
    if sent == signal.SIGINT:
        assert process.returncode == 130
        assert err.splitlines()[-1].startswith("Interrupted after step ")
        assert err.endswith("; resume with: seqarith train --resume c --log l.jsonl\n")
    else:
        assert process.returncode == -signal.SIGKILL
    assert sa.Checkpoint.load(tmp_path / "c").step < 12000

    found = shell("train", "--resume", "c", *kept)
    assert found.returncode == 0, found.stderr
    assert (tmp_path / "model.npz").read_bytes() == uninterrupted
    records = [json.loads(line) for line in (tmp_path / "l.jsonl").read_text().splitlines()]
    steps = [*range(10, 200, 10), *range(200, 12001, 50)]
    assert [record["step"] for record in records] == steps
    if sent == signal.SIGINT:
        assert sorted(os.listdir(tmp_path)) == ["c", "l.jsonl", "model.npz"]


def test_python_dash_m_and_the_script_are_one(shell: Shell) -> None:
    assert shell("--version").stdout == f"seqarith, version {sa.__version__}\n"
