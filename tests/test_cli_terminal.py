"""What reaches a terminal: one line is one line, and nothing in it acts."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import seqarith as sa
from seqarith import archive
from seqarith.cli import cli, main
from seqarith.text import fitted

CLI = Path(sa.__file__).parent / "cli"
LONG = "x" * 9000
HOSTILE = "a\x1b[2J\r\n0\ncertificate claims every width\x00\u202egnp"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(each) for each in arguments])


def is_plain(text: str) -> bool:
    return all(line.isprintable() for line in text.split("\n"))


@pytest.mark.parametrize("path", sorted(CLI.glob("*.py")), ids=lambda path: path.name)
def test_commands_print_through_the_functions_that_escape(path: Path) -> None:
    if path.name == "output.py":
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
        assert called not in ("print", "click.echo", "click.secho", "echo", "secho"), node.lineno
        assert not called.startswith(("sys.stdout.write", "sys.stderr.write")), node.lineno


@pytest.fixture
def forged(adder: sa.Model, tmp_path: Path) -> Path:
    """A file whose notes hold control characters."""
    notes = {"seed": HOSTILE, HOSTILE: [HOSTILE], "bits": 4}
    model = replace(adder, training=notes, evaluation={"note": HOSTILE})
    model.save(tmp_path / "m.npz")
    return tmp_path / "m.npz"


def test_notes_of_a_file_forge_no_line(forged: Path) -> None:
    result = run("show", forged)
    assert result.exit_code == 0
    assert is_plain(result.output)
    assert "as noted in the file, not checked here" in result.output
    starts = [line for line in result.output.splitlines() if line.startswith("certificate")]
    assert len(starts) == 1
    assert json.loads(run("show", forged, "--json").output)["training"]["seed"] == HOSTILE


def test_names_of_files_forge_no_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (HOSTILE.replace("\x00", ""), "x" * 2000, "\udcff.npz"):
        result = run("show", tmp_path / name)
        assert result.exit_code == 1
        assert is_plain(result.output)
        assert len(result.output.splitlines()) == 1
        assert len(result.output) <= 301


@pytest.mark.parametrize(
    "arguments", [("predict", LONG), ("train", LONG), (LONG,), ("show", "--" + LONG)]
)
def test_errors_are_short(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["seqarith", *arguments])
    with pytest.raises(SystemExit):
        main()
    said = capsys.readouterr().err
    assert all(len(line) <= 300 for line in said.split("\n"))
    errors = [line for line in said.splitlines() if not line.startswith("Using the add model")]
    assert len(errors) == 1
    assert errors[0].startswith("Error: ")


def test_a_long_message_keeps_its_sentence() -> None:
    said = fitted(f"cannot read /{'x' * 500}/m.npz: {'y' * 500}: expected another")
    assert len(said) <= 300
    assert said.startswith("cannot read /xxx")
    assert "m.npz: " in said
    assert said.endswith("yyy: expected another")


def test_letters_that_the_terminal_has_not_are_told(
    adder: sa.Model, tmp_path: Path, environment: dict[str, str]
) -> None:
    replace(adder, training={"by": "é", "bits": 4}).save(tmp_path / "m.npz")
    found = subprocess.run(
        [sys.executable, "-m", "seqarith", "show", "m.npz"], capture_output=True, check=True,
        env=environment | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}, cwd=tmp_path,
    )  # fmt: skip
    assert rb"by=\xe9" in found.stdout


def test_a_certificate_of_another_program_is_told(adder: sa.Model, tmp_path: Path) -> None:
    verdict = sa.certify(adder, 5)
    assert isinstance(verdict, sa.Proved)
    sa.attach(adder, verdict.certificate).save(tmp_path / "m.npz")
    assert "claims every width" in run("show", tmp_path / "m.npz").output
    found = archive.read(tmp_path / "m.npz", "seqarith-model", 4)
    arrays: dict[str, Any] = dict(np_arrays(tmp_path / "m.npz"))
    arrays["readout.bias"] = arrays["readout.bias"] * 2
    archive.write(tmp_path / "m.npz", found.header, arrays)
    said = run("show", tmp_path / "m.npz").output
    assert "about another program than this file's" in said
    assert "claims every width" not in said


def np_arrays(path: Path) -> dict[str, Any]:
    with np.load(path) as file:
        return {name: file[name] for name in file.files if name != "header"}
