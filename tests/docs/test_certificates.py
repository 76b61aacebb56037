"""The page of certificates names its tests: each of them is there."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "certificates.md"


def test_every_test_that_it_names_exists() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py"))
    defined = set(re.findall(r"^def (test_\w+)", sources, re.MULTILINE))
    files = {path.stem for path in TESTS.rglob("test_*.py")}
    named = set(re.findall(r"`(test_\w+)", PAGE.read_text(encoding="utf-8")))
    whole = {name for name in named if not name.endswith("_")}
    assert len(whole) > 3
    assert whole <= defined | files
    for beginning in named - whole:  # of several tests, one a format or a function
        assert any(name.startswith(beginning) for name in defined | files), beginning
