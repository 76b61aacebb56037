"""Text from files and users, made safe to print."""

from __future__ import annotations

import re

_LONG = re.compile(r"\S{61,}")

SHOWN = 200
"""Characters of a foreign text that a message quotes, unless it says otherwise."""


def printable(text: str) -> str:
    r"""Escape every character that would not print as itself.

    Control characters (line breaks among them), characters that change the direction of text,
    invisible ones and lone surrogates become Python escapes. So no text from a file can begin a
    line of its own, move the cursor, or reorder what stands around it.

    Args:
        text: Any text.

    Returns:
        One line of printable characters.

    Example:
        >>> print(printable("a\x1b[2J\nb\u202ec"))
        a\x1b[2J\nb\u202ec
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def shortened(text: str, limit: int = SHOWN) -> str:
    """Escape a text and cut its middle out where it is longer than ``limit`` characters.

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

    Where it is longer, its long words come first: paths, names and quoted values keep their
    beginning and their end.

    Example:
        >>> fitted("no such file: /" + "x" * 400 + "/model.npz")
        'no such file: /xxxxxxxxxxxxxxxxxxxxxxxxxx ... xxxxxxxxxxxxxxxxx/model.npz'
    """
    text = printable(text)
    if len(text) > limit:
        text = _LONG.sub(lambda match: shortened(match[0], 60), text)
    return shortened(text, limit)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
