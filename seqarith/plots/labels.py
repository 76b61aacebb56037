"""Text in pictures: text from elsewhere is drawn literally."""

from __future__ import annotations

from seqarith.text import shortened

LONGEST = 80  # maximum characters of a text from elsewhere


def label(text: str, limit: int = LONGEST) -> str:
    r"""Escape a text so that matplotlib draws it literally, in one line.

    Otherwise ``$`` starts mathematics, a leading ``_`` hides a text from the legend, control
    characters become boxes, and lone surrogates are not drawn.

    Args:
        text: Any text.
        limit: Maximum number of characters.

    Example:
        >>> print(label("$x$"), label("_run") == " _run", label("a\nb"))
        \$x\$ True a\nb
    """
    escaped = shortened(text, limit).replace("$", r"\$")
    return f" {escaped}" if escaped.startswith("_") else escaped
