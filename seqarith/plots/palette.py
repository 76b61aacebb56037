"""Colours and markers that differ in greyscale and for colour-blind readers.

Source: M. Okabe, K. Ito, Color Universal Design (2008).
"""

from __future__ import annotations

INK = "#222222"
FAINT = "#8a8a8a"
BLUE, VERMILLION = "#0072b2", "#d55e00"
COLOURS = (BLUE, "#e69f00", "#009e73", "#cc79a7", "#56b4e9", VERMILLION, "#000000", "#f0e442")
MARKERS = ("o", "^", "s", "D", "v", "P", "X", "*")
DASHES = ("-", "--", ":", "-.")


def colour(index: int) -> str:
    """Return the colour of a class; after eight classes, colours repeat with other markers."""
    return COLOURS[index % len(COLOURS)]


def marker(index: int) -> str:
    """Return the marker of a class, which identifies it without its colour."""
    return MARKERS[(index + index // len(MARKERS)) % len(MARKERS)]
