"""Draw the pictures of docs/pictures.md by the commands that stand on it.

    python scripts/make_gallery.py

Needed: the extra ``plot``. Pictures are stored with a palette of 256 colours, to keep them small.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

PAGE = Path(__file__).parent.parent / "docs" / "pictures.md"
IMAGES = PAGE.parent / "images"
LIMIT = 150_000
"""Bytes of a picture, at most."""


def commands() -> list[str]:
    """Return the command lines of the page, in order."""
    return re.findall(r"^    (seqarith .+)$", PAGE.read_text(encoding="utf-8"), re.M)


def pictures() -> list[str]:
    """Return the names of the pictures that the commands draw."""
    return [line.split()[-1] for line in commands() if line.startswith("seqarith plot")]


def draw(folder: Path) -> None:
    """Run the commands in a folder."""
    for line in commands():
        print(line, flush=True)
        arguments = [sys.executable, "-m", "seqarith", *shlex.split(line)[1:]]
        subprocess.run(arguments, cwd=folder, check=True, capture_output=True)


def store(source: Path, place: Path) -> None:
    """Write a picture with a palette.

    Raises:
        SystemExit: It is too large for a page all the same.
    """
    with Image.open(source) as image:
        image.convert("RGB").quantize(256).save(place, optimize=True)
    size = place.stat().st_size
    if size > LIMIT:
        raise SystemExit(f"{place}: {size:,} bytes; expected {LIMIT:,} at most")
    print(f"{place.relative_to(PAGE.parent)} ({size / 1000:.0f} kB)")


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        draw(Path(made))
        for name in pictures():
            store(Path(made) / name, IMAGES / name)
