"""The notebook runs from top to bottom, and shows what it says that it shows."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

DOCS = Path(__file__).parents[2] / "docs"
SCRIPT = DOCS.parent / "scripts" / "run_notebook.py"
MEASURED = re.compile(r"\d+ steps|margin[ =]-?[\d.]+|[\d,]+ regions|steps=\d+|depth=\d+")
"""What another processor may measure otherwise."""


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("run_notebook", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def shown(cell: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """Return what a cell prints and gives, as text, and whether there is HTML of it."""
    found = []
    for output in cell["outputs"]:
        if output.get("name") != "stderr":  # progress
            data = output.get("data", {})
            text = "".join(output["text"] if "text" in output else data["text/plain"])
            found.append((output["output_type"], MEASURED.sub("#", text), "text/html" in data))
    return found


def test_it_runs_and_shows_what_is_stored(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    cells = json.loads(script.NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    ran = [cell for cell in script.run(cells) if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    for stored, now in zip(code, ran, strict=True):
        assert shown(stored) == shown(now), f"cell {stored['id']}: run scripts/run_notebook.py"


def test_a_cell_that_fails_is_seen(script: ModuleType) -> None:
    with pytest.raises(ZeroDivisionError):
        script.run([{"cell_type": "code", "source": ["1 / 0"]}])


def test_what_a_cell_shows_is_stored(script: ModuleType) -> None:
    source = ["class A:\n    def __repr__(self):\n        return 'a'\n", "print('b')\n", "A()"]
    (cell,) = script.run([{"cell_type": "code", "source": source}])
    assert shown(cell) == [("stream", "b\n", False), ("execute_result", "a", False)]
