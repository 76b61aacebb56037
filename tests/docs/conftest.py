"""What the pages of the documentation hold."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="session")
def blocks() -> Callable[[str, str], list[str]]:
    """Return the code blocks of one language on a page."""

    def found(page: str, language: str) -> list[str]:
        text = (DOCS / page).read_text(encoding="utf-8")
        return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)

    return found
