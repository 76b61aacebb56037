"""The tutorial in two languages: one session of Python, one set of pictures."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"
PAGES = DOCS / "tutorial.md", DOCS / "zh" / "tutorial.md"
LARGEST = 120_000


def pictures(page: Path) -> list[Path]:
    shown = re.findall(r"!\[[^\]]+\]\((.+?)\)", page.read_text("utf-8"))
    return [(page.parent / place).resolve() for place in shown]


@pytest.mark.parametrize(
    "pattern",
    [r"^```python\n.*?^```$", r"^    (?:\$ )?seqarith [^\n]*$", r"^## \d\. "],
    ids=["sessions", "commands", "sections"],
)
def test_both_languages_say_the_same(pattern: str) -> None:
    found = [
        re.findall(pattern, page.read_text("utf-8"), re.DOTALL | re.MULTILINE) for page in PAGES
    ]
    assert found[0]
    assert found[0] == found[1]


def test_both_languages_show_the_same_small_pictures() -> None:
    english, chinese = map(pictures, PAGES)
    assert english == chinese
    assert set(english) == set((DOCS / "images").glob("tutorial-*"))
    assert max(picture.stat().st_size for picture in english) < LARGEST
