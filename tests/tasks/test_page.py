"""The page of the tasks in the documentation is what the registry says."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from seqarith.registry import TASKS

SCRIPT = Path(__file__).parents[2] / "scripts" / "make_task_page.py"


def test_page_of_the_tasks_is_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("make_task_page", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    written = script.PAGE.read_text(encoding="utf-8")
    assert written == script.page(), "run scripts/make_task_page.py"
    for name in TASKS:
        assert f"\n## {name}\n" in written
