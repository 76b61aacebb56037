"""How commands print: results, JSON, messages on stderr, progress bars."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from shutil import get_terminal_size
from time import monotonic
from typing import TYPE_CHECKING, Any

import click

from seqarith.text import fitted, printable

if TYPE_CHECKING:
    from seqarith.prediction import Prediction
    from seqarith.tasks.task import Task

PATIENCE, REDRAW = 1.0, 0.1
"""Seconds before a bar is shown, and between two updates of it."""


def say(*lines: str) -> None:
    """Print the lines of a result, with control characters escaped.

    All output of commands goes through this module, so that no text from a file reaches the
    terminal unescaped.
    """
    text = "\n".join(lines)
    # Fast path: check thousands of lines at once if none needs escaping.
    plain = text.isascii() and text.replace("\n", "").isprintable()
    if text.count("\n") >= len(lines) or not plain:
        text = "\n".join(map(printable, lines))
    _print(text + "\n")


def say_styled(lines: Iterable[str], *, colour: bool) -> None:
    """Print lines that contain colours and were escaped before they were coloured."""
    for line in lines:
        _print(line + "\n", colour=colour)


def print_json(value: Any) -> None:
    """Print a value as JSON, with null for numbers that are not finite."""
    print_ascii(json_text(value) + "\n")


def json_text(value: Any) -> str:
    """Return a value as JSON, with null for numbers that are not finite."""
    return json.dumps(_finite(value), allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    return [_finite(each) for each in value] if isinstance(value, list | tuple) else value


def print_ascii(text: str) -> None:
    """Print a piece of JSON, in which all but ASCII is escaped already."""
    if not text.isascii():
        raise ValueError("JSON is written in ASCII")
    _print(text)


def notice(*lines: str) -> None:
    """Print messages to stderr."""
    for line in lines:
        _print(printable(line) + "\n", err=True)


def command_line(*words: str | Path) -> str:
    """Return a command line to suggest, quoted for a shell where necessary.

    Example:
        >>> command_line("verify", Path("my model.npz"))
        "seqarith verify 'my model.npz'"
    """
    return shlex.join(["seqarith", *map(str, words)])


def fail(text: str) -> None:
    """Print an error message to stderr, in one line of at most 300 characters."""
    _print(fitted(text) + "\n", err=True)


def _print(text: str, *, err: bool = False, colour: bool | None = None) -> None:
    if not text.isascii():
        stream = sys.stderr if err else sys.stdout
        encoding = getattr(stream, "encoding", None) or "utf-8"
        # Characters that the terminal cannot encode are shown as escapes.
        text = text.encode(encoding, "backslashreplace").decode(encoding)
    click.echo(text, nl=False, err=err, color=colour)


def prediction_json(prediction: Prediction) -> dict[str, Any]:
    """Return a prediction, ready for JSON; integers are strings, since they have any size."""
    from seqarith.digits import format_integer

    return {
        "task": prediction.task.name,
        "operands": [format_integer(value) for value in prediction.operands],
        "predicted": prediction.task.result_text(prediction.predicted),
        "expected": prediction.task.result_text(prediction.expected),
        "correct": prediction.correct,
        "min_margin": prediction.min_margin,
    }


def width_name(task: Task, bits: int) -> str:
    """Return the width of operands in words: ``"8-bit"``, ``"3-digit (base 10)"``."""
    return f"{bits}-bit" if task.base == 2 else f"{bits}-digit (base {task.base})"


def tuples_name(task: Task) -> str:
    """Return the name of the task's operand tuples, for example ``"pairs"``."""
    return {1: "values", 2: "pairs", 3: "triples"}.get(task.operands, "tuples")


@contextmanager
def spent(label: str) -> Iterator[Callable[[float, str], None]]:
    """Show the spent share of a budget, once the work takes longer than a second.

    Args:
        label: Name of the work.
    """
    bar, begin, last = Bar(label), monotonic(), 0.0

    def show(share: float, text: str) -> None:
        nonlocal last
        now = monotonic()
        if now - begin > PATIENCE and now - last > REDRAW:
            last = now
            bar(round(1000 * share), 1000, f"of the budget: {text}")

    try:
        yield show
    finally:
        bar.close()


def _clipped(text: str, room: int) -> str:
    """Cut a text to a number of columns."""
    return text if len(text) <= room else text[: max(0, room - 1)] + "…"


class Bar:
    """A progress bar on stderr, no wider than the terminal; hidden if stderr is no terminal.

    Args:
        label: Name of the work.
    """

    _BESIDE = 26  # columns of brackets, percentage, time left and spaces
    _WIDEST = 24  # columns of the bar itself

    def __init__(self, label: str) -> None:
        self._label = printable(label)
        self._bar: Any = None
        self._done = 0
        self.shown = sys.stderr.isatty()

    def __call__(self, done: int, total: int, text: str = "") -> None:
        """Show that ``done`` of ``total`` is done."""
        if not self.shown:
            return
        room = get_terminal_size().columns - len(self._label) - self._BESIDE
        wide = max(1, min(self._WIDEST, room))
        if self._bar is None:
            show: Callable[[Any], str | None] = lambda item: item or None  # noqa: E731
            self._bar = click.progressbar(
                length=total, label=self._label, file=sys.stderr, item_show_func=show, width=wide
            )
            self._bar.__enter__()
        self._bar.width = wide
        self._bar.update(done - self._done, _clipped(printable(text), room - wide))
        self._done = done

    def close(self) -> None:
        """Leave the bar as it stands."""
        if self._bar is not None:
            self._bar.__exit__(None, None, None)
            self._bar = None


class StatusLine:
    """A line on stderr that is overwritten by each update; hidden if stderr is no terminal.

    For work of unknown length, where a bar would suggest a total.
    """

    def __init__(self) -> None:
        self._columns = 0
        self.shown = sys.stderr.isatty()

    def __call__(self, text: str) -> None:
        """Show a text in place of the last one."""
        if not self.shown:
            return
        shown = _clipped(printable(text), get_terminal_size().columns - 1)
        click.echo("\r" + shown.ljust(self._columns), nl=False, err=True)
        self._columns = len(shown)

    def close(self) -> None:
        """Leave the line as it stands."""
        if self._columns:
            click.echo(err=True)
            self._columns = 0
