"""Arguments and options that several commands have: the model, the operands, files."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from seqarith.cli.output import command_line, notice
from seqarith.errors import InvalidValueError

if TYPE_CHECKING:
    from seqarith.model import Model

MODEL = Path("model.npz")
"""The model file of commands that are given none."""

Command = TypeVar("Command", bound=Callable[..., Any])

path_option = partial(click.option, type=click.Path(path_type=Path))
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
model_argument = click.argument("model", type=click.Path(path_type=Path), required=False)
model_option = path_option(
    "--model",
    help="The model file.  [default: model.npz if it exists, else one that comes with seqarith]",
)
task_option = click.option("--task", default="", help="Use a model of this task: add, sub, ...")
function_option = click.option(
    "--task-from",
    metavar="MODULE:NAME",
    help="The Python function that the model was trained on. Results are then compared with it.",
)


def _refuse_options(
    ctx: click.Context, parameter: click.Parameter, texts: tuple[str, ...]
) -> tuple[str, ...]:
    """Refuse options among operands: click leaves those there that it does not know."""
    for text in texts:
        if re.match(r"--|-[a-zA-Z]", text):
            raise click.NoSuchOption(text, ctx=ctx)
    return texts


def operands_argument(*, required: bool) -> Callable[[Command], Command]:
    """Return the argument of a command that takes operands, negative ones too."""
    return click.argument(
        "operands", nargs=-1, type=click.UNPROCESSED, callback=_refuse_options, required=required
    )


def find_model(path: Path | None, task: str = "", task_from: str | None = None) -> Model:
    """Return the model that a command uses.

    Args:
        path: The model file; None: ``model.npz`` in this folder if it is a model of the task, else
            the model that comes with the package, which stderr then says.
        task: Name of the task; empty: any.
        task_from: Place of the function that the model was trained on, ``"module:name"``.

    Raises:
        InvalidValueError: The file is a model of another task.
    """
    from seqarith.model import Model
    from seqarith.registry import TASKS

    model = None
    if path is not None or MODEL.exists():
        model = Model.load(path or MODEL)
        if task and not (model.task.name == task and not model.task.own):
            if path is not None:
                raise InvalidValueError(f"{path} is a model of {model.task.name}, not of {task}")
            model = None
    if model is None:
        if task and task not in TASKS:
            TASKS[task]  # raises, with the known names
        model = Model.shipped(task or "add")
        _say_shipped(model.task.name)
    if task_from is None:
        return model
    from seqarith.cli.task_options import with_function

    return with_function(model, task_from)


def find_model_file(path: Path | None) -> Path:
    """Return the file that `find_model` reads if no task is given."""
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


def training_bits(model: Model) -> int:
    """Return the width that a model was trained at; 8 if its file does not say."""
    bits = model.training.get("bits", 8)
    return bits if type(bits) is int and bits > 0 else 8
