"""Refuse a built site that loads anything from elsewhere: python scripts/check_site.py docs/_build.

Links that a reader may follow are no loads; scripts, styles, fonts and pictures are.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

PLACES = ("src", "srcset", "data", "poster")
"""Attributes whose address is loaded with the page."""
FOLLOWED = ("a", "area", "base")
"""Elements whose ``href`` is loaded only when a reader follows it, or never."""
RELATIONS = ("author", "canonical", "index", "next", "prev", "search")
"""Kinds of ``link`` that nothing is loaded for."""
ELSEWHERE = re.compile(r"^\s*(?:[a-z]+:)?//", re.I)
IN_STYLES = re.compile(r"(?:url\(|@import)\s*[\"']?\s*((?:[a-z]+:)?//[^\"')\s]+)", re.I)


class Loads(HTMLParser):
    """Collects what a page loads from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the addresses of an element that are loaded."""
        given = dict(attrs)
        places = list(PLACES)
        if tag not in FOLLOWED and given.get("rel") not in RELATIONS:
            places.append("href")
        found = (given.get(place) or "" for place in places)
        self.found += [address for address in found if ELSEWHERE.match(address)]
        self.found += IN_STYLES.findall(given.get("style") or "")


def loads(page: str) -> list[str]:
    """Return the addresses elsewhere that a page loads."""
    reader = Loads()
    reader.feed(page)
    return reader.found + IN_STYLES.findall(page)


def wrong(folder: Path) -> Iterator[str]:
    """Yield what files of a site load from elsewhere."""
    for file in sorted(folder.rglob("*.html")):
        yield from (f"{file}: loads {place}" for place in loads(file.read_text(encoding="utf-8")))
    for file in sorted(folder.rglob("*.css")):
        found = IN_STYLES.findall(file.read_text(encoding="utf-8"))
        yield from (f"{file}: loads {place}" for place in found)


if __name__ == "__main__":
    if len(sys.argv) != 2 or not Path(sys.argv[1], "index.html").is_file():
        sys.exit("usage: check_site.py FOLDER, which holds an index.html")
    if mistakes := list(wrong(Path(sys.argv[1]))):
        sys.exit("\n".join(mistakes))
