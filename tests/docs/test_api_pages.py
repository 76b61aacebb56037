"""The pages of the API name everything that is public, and nothing that is not there."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import seqarith as sa

PAGES = Path(__file__).parents[2] / "docs" / "api"
DIRECTIVE = re.compile(r"^\.\. auto(?:class|exception|function|data):: (\S+)$", re.M)


@pytest.fixture(scope="module")
def documented() -> list[str]:
    texts = [page.read_text(encoding="utf-8") for page in sorted(PAGES.glob("*.md"))]
    return [name for text in texts for name in DIRECTIVE.findall(text)]


def public(module: ModuleType) -> set[str]:
    """Return what a package offers: what its `__init__` takes from its modules."""
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and callable(value) and hasattr(value, "__module__")
    }


def test_everything_public_is_on_a_page(documented: list[str]) -> None:
    modules = {name for name in sa.__all__ if isinstance(getattr(sa, name), ModuleType)}
    wanted = {f"seqarith.{name}" for name in set(sa.__all__) - modules - {"__version__"}}
    for package in ("plots", "report", "compose"):
        module = import_module(f"seqarith.{package}")
        wanted |= {f"{module.__name__}.{name}" for name in public(module)}
    wanted |= {f"seqarith.registry.{name}" for name in ("TASKS", "CELLS", "LOSSES", "OPTIMIZERS")}
    assert modules == {place.split(".")[1] for place in documented} & modules
    assert "seqarith.plots.trajectories" in wanted
    assert wanted <= set(documented)


def test_what_is_on_a_page_is_there_once_and_says_what_it_is(documented: list[str]) -> None:
    assert len(documented) == len(set(documented))
    for name in documented:
        module, _, attribute = name.rpartition(".")
        found = getattr(import_module(module), attribute)
        if callable(found):
            assert found.__doc__


def test_every_page_is_reached(documented: list[str]) -> None:
    index = (PAGES / "index.md").read_text(encoding="utf-8")
    for page in PAGES.glob("*.md"):
        assert page.stem == "index" or re.search(rf"^{page.stem}$", index, re.M)
