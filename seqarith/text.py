"""Text from files and users, made safe to print."""

from __future__ import annotations

import re
from fractions import Fraction

_LONG = re.compile(r"\S{61,}")

BLANK = "\u115f\u1160\u2800\u3164\uffa0"
"""Characters that are invisible although Python calls them printable."""

SHOWN = 200
"""Default number of characters that a message quotes of a text from elsewhere."""


def printable(text: str) -> str:
    r"""Escape every character that would not print as itself.

    Control characters, line breaks, characters that change the direction of text, invisible
    characters and lone surrogates become Python escapes. So a text from a file cannot start a new
    line, move the cursor, or reorder the text around it.

    Args:
        text: Any text.

    Returns:
        One line of printable characters.

    Example:
        >>> print(printable("a\x1b[2J\nb\u202ec"))
        a\x1b[2J\nb\u202ec
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c.isprintable() and c not in BLANK else _escaped(c) for c in text)


def shortened(text: str, limit: int = SHOWN) -> str:
    """Escape a text and cut out its middle if it is longer than ``limit`` characters.

    Example:
        >>> shortened("0123456789" * 4, 16)
        '01234 ... 56789'
    """
    text = printable(text)
    if len(text) <= limit:
        return text
    half = (limit - 5) // 2
    return f"{text[:half]} ... {text[-half:]}"


def fitted(text: str, limit: int = 300) -> str:
    """Return a message as one line of at most ``limit`` characters.

    In a longer message, long words are shortened first: paths, names and quoted values keep their
    beginning and end.

    Example:
        >>> fitted("no such file: /" + "x" * 400 + "/model.npz")
        'no such file: /xxxxxxxxxxxxxxxxxxxxxxxxxx ... xxxxxxxxxxxxxxxxx/model.npz'
    """
    text = printable(text)
    if len(text) > limit:
        text = _LONG.sub(lambda match: shortened(match[0], 60), text)
    return shortened(text, limit)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: ``"1 output"``, ``"4,353 parameters"``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def percent(share: float | Fraction, places: int = 4, *, up: bool = False) -> str:
    """Format a share as a percentage that never flatters.

    Accuracies are rounded down, so that 100% means no error. Shares of errors are rounded up, so
    that 0% means no error.

    Args:
        share: 0 to 1. A `Fraction` of two counts is exact, however large they are.
        places: Digits after the point.
        up: Round up.

    Example:
        >>> percent(Fraction(2**24 - 2, 2**24)), percent(Fraction(2, 2**24), up=True)
        ('99.9999%', '0.0001%')
        >>> percent(0.29, 2), percent(1.0, 0)
        ('29.00%', '100%')
    """
    # Convert through the shortest decimal text, so that 0.29 is exactly 29/100.
    exact = share if isinstance(share, Fraction) else Fraction(str(share))
    scaled = exact * 100 * 10**places
    count = -(-scaled.numerator // scaled.denominator) if up else int(scaled)
    whole, rest = divmod(count, 10**places)
    return f"{whole}.{rest:0{places}d}%" if places else f"{whole}%"


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
