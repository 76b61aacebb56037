"""Photograph the page of a model in Chromium: wide and narrow, light and dark.

    seqarith report model.npz -o report.html
    python scripts/make_screenshots.py report.html docs/images

Needed: Chromium and the Python package playwright.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu"]
WIDTHS = (1280, 375)
SCHEMES = ("light", "dark")
STEPS = 4  # of the computation that are done before the picture is taken


def photograph(browser: Browser, page: Path, folder: Path) -> None:
    """Save a picture of the whole page for every width and scheme."""
    for width in WIDTHS:
        for scheme in SCHEMES:
            context = browser.new_context(
                viewport={"width": width, "height": 900},
                color_scheme=scheme,
                reduced_motion="reduce",
            )
            shown = context.new_page()
            shown.goto(page.resolve().as_uri())
            if shown.locator("#pairs").is_visible():
                shown.locator("#count", has_text="smallest margin").wait_for()
            for _ in range(STEPS):
                shown.click("#next")
            shown.evaluate("document.activeElement.blur()")
            place = folder / f"{page.stem}-{width}-{scheme}.png"
            shown.screenshot(path=place, full_page=True)
            print(place)
            context.close()


def main() -> None:
    """Read the command line."""
    if len(sys.argv) != 3:
        sys.exit("usage: make_screenshots.py report.html FOLDER")
    page, folder = map(Path, sys.argv[1:])
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        sys.exit(f"no browser: expected one of {', '.join(BROWSERS)}")
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        photograph(browser, page, folder)
        browser.close()


if __name__ == "__main__":
    main()
