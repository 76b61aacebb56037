"""What commands have in common in what they print."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from seqarith.model import Model
    from seqarith.prediction import Prediction
    from seqarith.tasks.task import Task

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    click.echo(json.dumps(value, allow_nan=False))


def notice(text: str) -> None:
    """Print a line that is no result: to stderr."""
    click.echo(text, err=True)


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
    here = Path("model.npz")
    if here.exists():
        model = Model.load(here)
        if not task or is_task(model, task):
            return model
    if task and task not in TASKS:
        TASKS[task]  # raises, and says what there is
    model = Model.shipped(task or "add")
    notice(
        f"Using the {model.task.name} model that comes with seqarith; train your own with "
        f"'seqarith train {model.task.name}'."
    )
    return model


class Bar:
    """A progress bar on stderr; nothing where stderr is no terminal.

    Args:
        label: What is going on.
    """

    def __init__(self, label: str) -> None:
        self._label = label
        self._bar: Any = None
        self._done = 0
        self.shown = sys.stderr.isatty()

    def __call__(self, done: int, total: int, text: str = "") -> None:
        """Show that ``done`` of ``total`` is done."""
        if not self.shown:
            return
        if self._bar is None:
            show: Callable[[Any], str | None] = lambda item: item or None  # noqa: E731
            self._bar = click.progressbar(
                length=total, label=self._label, file=sys.stderr, item_show_func=show, width=24
            )
            self._bar.__enter__()
        self._bar.update(done - self._done, text)
        self._done = done

    def close(self) -> None:
        """Leave the bar as it stands."""
        if self._bar is not None:
            self._bar.__exit__(None, None, None)
            self._bar = None
