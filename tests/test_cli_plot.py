"""``seqarith plot``: every picture from the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Shell = Callable[..., subprocess.CompletedProcess[str]]
KINDS = ["errors", "margins", "widths", "chains", "trajectories", "weights", "machine"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_picture(shell: Shell, adder_file: Path, tmp_path: Path, kind: str) -> None:
    pytest.importorskip("matplotlib")
    found = shell("plot", kind, str(adder_file), "-o", "p.svg", "--bits", "3", "--samples", "9")
    assert (found.returncode, found.stdout) == (0, "")
    assert found.stderr == "saved p.svg\n"
    assert (tmp_path / "p.svg").read_text().startswith("<?xml")


def test_learning_curves(shell: Shell, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    lines = '{"step": 50, "loss": 0.5, "accuracy": 0.5}\n{"step": 100, "loss": 0.25}\n'
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).write_text(lines)
    found = shell("plot", "learning", "a.jsonl", "b.jsonl")
    assert (found.returncode, found.stderr) == (0, "saved learning.png\n")
    assert (tmp_path / "learning.png").read_bytes().startswith(b"\x89PNG")


def test_logs_with_odd_names(shell: Shell, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    names = [b"$\\frac{$.jsonl", b"_x.jsonl", b"\xff.jsonl"]
    for name in names:
        (tmp_path / os.fsdecode(name)).write_text(
            '{"step": 1, "loss": 2}\n{"step": 2, "loss": 1}\n'
        )
    for chosen in ([name] for name in names), [names]:
        for logs in chosen:
            found = shell("plot", "learning", *map(os.fsdecode, logs), "-o", "p.png")
            assert (found.returncode, found.stderr) == (0, "saved p.png\n")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("learning",), 2, "Missing logs"),
        (("learning", "none.jsonl"), 1, "none.jsonl: cannot be read"),
        (("learning", "note.jsonl"), 2, "note.jsonl: the log contains no loss, no accuracy"),
        (("errors", "none.npz"), 1, "none.npz: no such file"),
        (("errors", "a.npz", "b.npz"), 2, "errors draws one model; 2 files were given"),
        (("errors", "-o", "p.gif"), 2, "cannot save a picture as '.gif'"),
        (("errors", "-o", "no/p.png"), 1, "there is no folder"),
        (("flowers",), 2, "'flowers' is not one of"),
    ],
)
def test_mistakes(
    shell: Shell, tmp_path: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    pytest.importorskip("matplotlib")
    (tmp_path / "note.jsonl").write_text('{"step": 1, "speed": 3}\n')
    found = shell("plot", *arguments)
    assert (found.returncode, found.stdout) == (code, "")
    assert message in found.stderr
    assert len(found.stderr.splitlines()) == 1
    assert not list(tmp_path.glob("*.p*"))


def test_without_matplotlib(tmp_path: Path, environment: dict[str, str], adder_file: Path) -> None:
    program = (
        "import sys\nsys.modules['matplotlib'] = None\nfrom seqarith.cli import main\n"
        "sys.argv = ['seqarith', 'plot', 'errors', sys.argv[1]]\nmain()"
    )
    found = subprocess.run(
        [sys.executable, "-c", program, str(adder_file)],
        capture_output=True, text=True, env=environment, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert found.returncode == 1
    assert found.stderr == (
        "Error: pictures need matplotlib, which is not installed: pip install 'seqarith[plot]'\n"
    )
