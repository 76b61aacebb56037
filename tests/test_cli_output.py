"""What moves on a terminal fits into it, and says what it shows."""

from __future__ import annotations

import ast
import fcntl
import os
import pty
import re
import shlex
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

import seqarith as sa
from seqarith.cli.output import command_line, say

TRAIN = ("train", "add", "--seed", "3", "--max-steps", "1000000")
CERTIFY = ("certify", "wrong.npz", "--budget", "1")
EVAL = ("eval", "wrong.npz", "--bits", "9")


def test_letters_that_show_nothing_are_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    say("a\u3164b", "c")
    assert capsys.readouterr().out == "a\\u3164b\nc\n"


def on_a_terminal(
    columns: int, arguments: tuple[str, ...], folder: Path, env: dict[str, str]
) -> str:
    """Return all that a command writes to a terminal of so many columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "seqarith", *arguments],
        cwd=folder, env={k: v for k, v in env.items() if k != "COLUMNS"},
        stdin=theirs, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    parts = []
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other end was closed
            break
        if not part:
            break
        parts.append(part)
    os.close(ours)
    process.wait()
    return b"".join(parts).decode()


@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.parametrize("arguments", [TRAIN, CERTIFY, EVAL], ids=lambda each: each[0])
def test_nothing_that_moves_is_wider_than_the_terminal(
    columns: int, arguments: tuple[str, ...], wrong_adder: sa.Model, tmp_path: Path,
    environment: dict[str, str],
) -> None:  # fmt: skip
    wrong_adder.save(tmp_path / "wrong.npz")
    shown = on_a_terminal(columns, arguments, tmp_path, environment)
    moving = re.findall(r"\r([^\r\n]+)", re.sub(r"\x1b\[[?\d]*[a-zA-Z]", "", shown))
    drawn = [line.rstrip() for line in moving if line.strip()]
    assert drawn
    assert max(map(len, drawn)) < columns


def test_training_pretends_no_total_and_tells_of_noise(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    shown = on_a_terminal(100, TRAIN, tmp_path, environment)
    assert "train add: step 50 of at most 1,000,000  loss" in shown
    assert "%  (with noise)" in shown
    assert "#" not in shown
    plain = on_a_terminal(100, (*TRAIN, "--noise", "0"), tmp_path, environment)
    assert "step 50 of at most" in plain
    assert "noise" not in plain


def test_every_share_is_rounded_by_one_function() -> None:
    """A share that is printed with ``%`` could read 100 % where something is wrong."""
    found = []
    for path in Path(sa.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FormattedValue) and node.format_spec is not None:
                spec = ast.unparse(node.format_spec).strip("f'\"")
                found += [f"{path}:{node.lineno}"] * spec.endswith("%")
    assert not found


def test_a_command_that_is_suggested_can_be_pasted() -> None:
    said = command_line("train", "--resume", Path("my run.ckpt"), "-o", "it's.npz")
    assert shlex.split(said) == ["seqarith", "train", "--resume", "my run.ckpt", "-o", "it's.npz"]
