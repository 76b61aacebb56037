"""The README is short, names every extra, and has the line that CI runs."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def test_it_has_100_lines_at_most(readme: str) -> None:
    assert len(readme.splitlines()) <= 100


def test_it_names_every_extra(readme: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = set(project["optional-dependencies"])
    assert extras <= set(re.findall(r"`(\w+)`", readme))


def test_ci_finds_the_line_of_the_tests(readme: str) -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    (pattern,) = re.findall(r"grep -m 1 -E '(.+)' README\.md", script)
    (line,) = re.findall(rf"{pattern}.*$", readme, re.M)
    assert "pip install -q -e '.[test]'" in line
