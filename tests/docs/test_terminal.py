"""The recorded terminal: an SVG that holds what was printed, for every reader and scheme."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "make_terminal.py"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_terminal", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(svg: str) -> list[str]:
    return ["".join(row.itertext()) for row in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_what_is_printed_is_drawn(script: ModuleType) -> None:
    lines = script.record(("seqarith predict 37 58", "seqarith predict --task sub 3 5"))
    assert lines == [
        "$ seqarith predict 37 58", "37 + 58 = 95", "",
        "$ seqarith predict --task sub 3 5", "3 - 5 = -2",
    ]  # fmt: skip
    assert read(script.drawn(lines)) == lines


def test_nothing_is_lost_in_markup(script: ModuleType) -> None:
    lines = ["$ a < b && c", "  two  blanks", "<tspan> &amp; \"'"]
    svg = script.drawn(lines)
    assert read(svg) == lines
    assert "prefers-color-scheme: dark" in svg
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")


def test_the_picture_shows_the_session(script: ModuleType) -> None:
    lines = read(script.PLACE.read_text(encoding="utf-8"))
    commands = [line[2:] for line in lines if line.startswith("$ ")]
    assert commands == list(script.SESSION), "run scripts/make_terminal.py"
    assert "37 + 58 = 95" in lines
    assert any("proved right at every width" in line for line in lines)
    assert any("refuted by operands" in line for line in lines)
