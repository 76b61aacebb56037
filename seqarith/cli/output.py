"""What commands have in common in what they print."""

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
    from seqarith.model import Model
    from seqarith.prediction import Prediction
    from seqarith.tasks.task import Task

PATIENCE, REDRAW = 1.0, 0.1
"""Seconds before a bar is shown, and between two looks of it."""

MODEL = Path("model.npz")
"""The model file of commands that are given none."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
model_argument = click.argument("model", type=click.Path(path_type=Path), required=False)


def say(*lines: str) -> None:
    """Print the lines of a result; control characters are escaped, so each stays one line.

    Everything that commands print goes through this module, so that no text from a file reaches
    a terminal raw.
    """
    text = "\n".join(lines)
    # Thousands of lines that need no escape are looked at together.
    plain = text.isascii() and text.replace("\n", "").isprintable()
    if text.count("\n") >= len(lines) or not plain:
        text = "\n".join(map(printable, lines))
    _print(text + "\n")


def say_styled(lines: Iterable[str], *, colour: bool) -> None:
    """Print lines that hold colours, and whose texts were escaped before they were coloured."""
    for line in lines:
        _print(line + "\n", colour=colour)


def print_json(value: Any) -> None:
    """Print a value as JSON; numbers that are not finite, which JSON has none of, as null."""
    print_ascii(json.dumps(_finite(value), allow_nan=False) + "\n")


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    return [_finite(each) for each in value] if isinstance(value, list | tuple) else value


def print_ascii(text: str) -> None:
    """Print a piece of JSON, which is ASCII and has escaped all else already."""
    if not text.isascii():
        raise ValueError("JSON is written in ASCII")
    _print(text)


def notice(*lines: str) -> None:
    """Print lines that are no result: to stderr."""
    for line in lines:
        _print(printable(line) + "\n", err=True)


def command_line(*words: str | Path) -> str:
    """Return a command to suggest, its words quoted for a shell where that is needed.

    Example:
        >>> command_line("verify", Path("my model.npz"))
        "seqarith verify 'my model.npz'"
    """
    return shlex.join(["seqarith", *map(str, words)])


def fail(text: str) -> None:
    """Print what went wrong: one line of at most 300 characters, to stderr."""
    _print(fitted(text) + "\n", err=True)


def _print(text: str, *, err: bool = False, colour: bool | None = None) -> None:
    if not text.isascii():
        stream = sys.stderr if err else sys.stdout
        encoding = getattr(stream, "encoding", None) or "utf-8"
        # Where a terminal has no such letter, its number is shown.
        text = text.encode(encoding, "backslashreplace").decode(encoding)
    click.echo(text, nl=False, err=err, color=colour)


def prediction_json(prediction: Prediction) -> dict[str, Any]:
    """Return a prediction, ready for JSON; integers as text, since they may have any size."""
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
    """Return what operand tuples are called: ``"pairs"``."""
    return {1: "values", 2: "pairs", 3: "triples"}.get(task.operands, "tuples")


def training_bits(model: Model) -> int:
    """Return the width that a model was trained at; 8 where its file does not say."""
    bits = model.training.get("bits", 8)
    return bits if type(bits) is int and bits > 0 else 8


def is_task(model: Model, name: str) -> bool:
    """Return whether a model is one of the registry's task of that name."""
    return model.task.name == name and not model.task.own


def find_model(path: Path | None, task: str) -> Model:
    """Return the model that a user means.

    The file that is named, else ``model.npz`` in this folder, else the model of the task that
    comes with the package; the last is said on stderr.
    """
    from seqarith.model import Model
    from seqarith.registry import TASKS

    if path is not None:
        return Model.load(path)
    if MODEL.exists():
        model = Model.load(MODEL)
        if not task or is_task(model, task):
            return model
    if task and task not in TASKS:
        TASKS[task]  # raises, and says what there is
    model = Model.shipped(task or "add")
    _say_shipped(model.task.name)
    return model


def find_model_file(path: Path | None) -> Path:
    """Return the file that a user means: as `find_model` where no task is named."""
    from seqarith.model import shipped_file

    if path is not None or MODEL.exists():
        return path or MODEL
    _say_shipped("add")
    return shipped_file("add")


def _say_shipped(task: str) -> None:
    notice(
        f"Using the {task} model that comes with seqarith; train your own with "
        f"'{command_line('train', task)}'."
    )


@contextmanager
def spent(label: str) -> Iterator[Callable[[float, str], None]]:
    """Show what share of a budget is spent, once that takes longer than a second.

    Args:
        label: What is going on.
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
    """Return a text that fits into so many columns."""
    return text if len(text) <= room else text[: max(0, room - 1)] + "…"


class Bar:
    """A progress bar on stderr, no wider than the terminal; nothing where stderr is no terminal.

    Args:
        label: What is going on.
    """

    _BESIDE = 26  # columns of brackets, percentage, time left and blanks
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
    """A line on stderr that is written over and over; nothing where stderr is no terminal.

    For work whose end is not known: it pretends no total.
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
