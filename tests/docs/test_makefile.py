"""`make` shows what it can do."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).parents[2] / "Makefile"


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_shows_every_target() -> None:
    shown = subprocess.run(
        ["make", "-s"], cwd=MAKEFILE.parent, capture_output=True, text=True, check=True
    ).stdout
    text = MAKEFILE.read_text(encoding="utf-8")
    targets = text.split(".PHONY: ")[1].splitlines()[0].split()
    assert [line.split()[0] for line in shown.splitlines()] == targets
    assert all(len(line.split()) > 1 for line in shown.splitlines())
