"""Text in pictures: foreign text is drawn as it is, whatever is in it."""

from __future__ import annotations

from seqarith.text import shortened

LONGEST = 80  # characters of a text from elsewhere


def label(text: str, limit: int = LONGEST) -> str:
    r"""Return a text that matplotlib draws as itself, in one line.

    ``$`` would begin mathematics; what begins with ``_`` would be left out of a legend; control
    characters would be drawn as boxes, and lone surrogates not at all.

    Args:
        text: Any text.
        limit: Characters of it that are drawn, at most.

    Example:
        >>> print(label("$x$"), label("_run") == " _run", label("a\nb"))
        \$x\$ True a\nb
    """
    escaped = shortened(text, limit).replace("$", r"\$")
    return f" {escaped}" if escaped.startswith("_") else escaped
