"""The page of the benchmarks says what the file of results holds."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("page", ROOT / "scripts/make_benchmark_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(script: ModuleType) -> None:
    results = json.loads(script.RESULTS.read_text(encoding="utf-8"))
    written = script.PAGE.read_text(encoding="utf-8")
    assert written == script.page(results), "run scripts/make_benchmark_page.py"


def test_every_row_and_fact_is_on_the_page(script: ModuleType) -> None:
    about: dict[str, Any] = {
        "processor": "Abacus",
        "cores": 2,
        "system": "Linux",
        "python": "3.11",
        "packages": {"numpy": "2.4"},
        "date": "2026-11-24",
    }
    spread = {"low": 1.5, "middle": 2.25, "high": 3.125}
    row = {"case": "B 1", "seconds": None, "ratio": None, "wanted": None, "remark": ""}
    figure = {
        "title": "Steps",
        "text": "Said once.",
        "image": "",
        "measured on": about,
        "rows": [
            {**row, "contender": "ours", "seconds": {**spread, "middle": 2.5e-5}},
            {**row, "contender": "theirs", "seconds": spread, "ratio": spread, "wanted": 15.0},
            {**row, "contender": "third", "remark": "does not run"},
        ],
        "facts": [{"what": "Rate", "value": 123.456, "unit": "GFLOP/s", "wanted": "at least 9"}],
    }
    lines = script.page({"figures": {"steps": figure}}).splitlines()
    assert "2026-11-24, Abacus, 2 cores, Linux, Python 3.11, numpy 2.4." in lines
    assert "| B 1 | ours | 25 µs |  |  |  |" in lines
    assert "|  | theirs | 2.25 s | 2.25 (1.50 to 3.12) | 15 | **not reached** |" in lines
    assert "|  | third |  |  |  | does not run |" in lines
    assert "| Rate | 123 GFLOP/s | at least 9 |" in lines
