"""Every picture that a page shows is there, small enough, described, and none lies about unused."""

from __future__ import annotations

import re
from pathlib import Path

import click

from seqarith.cli.plot import plot_command

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"
LIMIT = 200_000
SHOWN = re.compile(r"!\[([^\]]*)\]\(([^)]+)\)|<(?:img|source)[^>]*(?:src|srcset)=\"([^\"]+)\"")


def shown() -> dict[Path, list[str]]:
    """Return the files of all pictures, and what stands in their place for who cannot see them."""
    found: dict[Path, list[str]] = {}
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        for text, markdown, html in SHOWN.findall(page.read_text(encoding="utf-8")):
            place = (page.parent / (markdown or html)).resolve()
            found.setdefault(place, []).extend([text] if markdown else [])
    return found


def test_pictures() -> None:
    found = shown()
    assert found
    for place, texts in found.items():
        assert place.is_file(), place
        assert place.stat().st_size <= LIMIT, place
        assert all(len(text) > 10 for text in texts), f"{place} is not described"
    unused = {file for file in IMAGES.rglob("*.*") if file.resolve() not in found}
    assert not unused


def test_every_kind_of_picture_is_on_the_page_with_its_command() -> None:
    text = (ROOT / "docs" / "pictures.md").read_text(encoding="utf-8")
    drawn = re.findall(r"^    seqarith plot (\w+) .*-o (\S+)$", text, re.M)
    kind = next(each for each in plot_command.params if each.name == "kind")
    assert isinstance(kind.type, click.Choice)
    assert {name for name, _ in drawn} == set(kind.type.choices)
    assert re.findall(r"\(images/(\S+)\)", text) == [place for _, place in drawn]
