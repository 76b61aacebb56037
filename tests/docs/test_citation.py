"""What is to be cited is the last release."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_citation_names_the_last_release() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    release = re.search(r"^## (\d\S*) - (\S+)$", changes, re.M)
    assert release
    assert f"\nversion: {release[1]}\ndate-released: {release[2]}\n" in citation
