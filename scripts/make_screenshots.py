"""Photograph the page of a model in Chromium: wide and narrow, light and dark, at work and broken.

    seqarith train add --bits 8 --log run.jsonl
    seqarith report --log run.jsonl
    python scripts/make_screenshots.py report.html docs/images

Needed: Chromium and the Python package playwright. ``--full`` photographs the whole page, to be
looked at; without it what fits into a window, for the documentation.
"""

from __future__ import annotations

import io
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu"]
WINDOWS = ((1280, 900), (375, 812))
SCHEMES = ("light", "dark")
STEPS = 4
"""Steps of the computation that are done before the picture is taken."""
CHANGED = ("readout.bias", "6")
"""The array of which one weight is set, and to what."""


def opened(browser: Browser, page: Path, window: tuple[int, int], scheme: Any) -> Any:
    """Return the page in a window, some steps into a computation."""
    width, height = window
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
    )
    shown = context.new_page()
    shown.goto(page.resolve().as_uri())
    if shown.locator("#pairs").is_visible():
        shown.locator("#count", has_text="smallest margin").wait_for()
    shown.click("#first")
    for _ in range(STEPS):
        shown.click("#next")
    shown.evaluate("document.activeElement.blur()")
    return shown


def photograph(shown: Any, place: Path, full: bool) -> None:
    """Save a picture of the page as it is."""
    content = shown.screenshot(full_page=full)
    with Image.open(io.BytesIO(content)) as image:
        image.convert("RGB").quantize(256).save(place, optimize=True)
    print(f"{place} ({place.stat().st_size / 1000:.0f} kB)")


def break_it(shown: Any) -> None:
    """Change a weight so that sums go wrong, and go to where that is seen."""
    array, value = CHANGED
    shown.select_option("#array", array)
    shown.fill("#value", value)
    shown.locator("#changed", has_text="1 changed").wait_for()
    shown.locator("#count", has_text=re.compile(r"^\s*[1-9][\d,]* of all")).wait_for()
    shown.evaluate("document.activeElement.blur()")
    shown.evaluate("document.querySelector('#array').closest('section').scrollIntoView()")


def main() -> None:
    """Read the command line."""
    arguments = [each for each in sys.argv[1:] if each != "--full"]
    if len(arguments) != 2:
        sys.exit("usage: make_screenshots.py [--full] report.html FOLDER")
    page, folder = map(Path, arguments)
    full = "--full" in sys.argv
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        sys.exit(f"no browser: expected one of {', '.join(BROWSERS)}")
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        for window in WINDOWS:
            for scheme in SCHEMES:
                shown = opened(browser, page, window, scheme)
                photograph(shown, folder / f"{page.stem}-{window[0]}-{scheme}.png", full)
        break_it(shown := opened(browser, page, WINDOWS[0], "light"))
        photograph(shown, folder / f"{page.stem}-changed.png", full)
        browser.close()


if __name__ == "__main__":
    main()
