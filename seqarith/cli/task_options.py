"""The task of a command: its parameters as options, or a custom task from a module."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from inspect import signature
from typing import TYPE_CHECKING, Any

import click

from seqarith.cli.output import notice
from seqarith.cli.settings import GroupedCommand, GroupedOption, setting_option
from seqarith.errors import InvalidValueError, TaskError
from seqarith.text import counted

if TYPE_CHECKING:
    from seqarith.model import Model
    from seqarith.tasks.task import Task

OWN = "seqarith.task_options"


class TaskCommand(GroupedCommand):
    """A command with the parameters of its TASK as options, for example --factor for scale.

    Args:
        renamed: Old names of options and their new names.
    """

    def __init__(self, *args: Any, renamed: Mapping[str, str], **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self._renamed = renamed

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        args = [self._new(ctx, arg) for arg in args]
        ctx.meta[OWN] = self._of_task(ctx, args)
        return super().parse_args(ctx, args)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return [*super().get_params(ctx), *self.own_options(ctx)]

    @staticmethod
    def own_options(ctx: click.Context) -> list[GroupedOption]:
        """Return the options of the given task."""
        found: list[GroupedOption] = ctx.meta.get(OWN, [])
        return found

    def _new(self, ctx: click.Context, arg: str) -> str:
        """Return an argument with its option renamed, if it has a new name; notify the user."""
        name, equals, value = arg.partition("=")
        if name not in self._renamed:
            return arg
        if not ctx.resilient_parsing:  # true in shell completion
            notice(f"{name} is now {self._renamed[name]}; the old name works until 0.7.")
        return self._renamed[name] + equals + value

    def _of_task(self, ctx: click.Context, args: list[str]) -> list[GroupedOption]:
        from seqarith.registry import TASKS

        parser = self.make_parser(ctx)
        parser.ignore_unknown_options = True  # they may be parameters of the task
        try:
            named, others, _ = parser.parse_args(list(args))
        except click.UsageError:  # reported when the command is parsed
            return []
        words = [named.get("task"), *others]
        task = next((word for word in words if isinstance(word, str) and word in TASKS), None)
        known = {option for each in self.get_params(ctx) for option in each.opts}
        unknown = [arg for arg in args if arg.startswith("--") and arg.split("=")[0] not in known]
        if task is None or not (unknown or {*ctx.help_option_names} & {*args}):
            return []
        from seqarith.tasks.parameters import parameters_of

        settings = [each for each in parameters_of(TASKS[task]) if each.flags[0] not in known]
        return [setting_option(each, f"Parameters of {task}") for each in settings]


param_option = click.option(
    "--param",
    cls=GroupedOption,
    group="Task",
    multiple=True,
    metavar="NAME=VALUE",
    help="A parameter of the task, for example factor=3. Repeat it for several.",
)
task_from_option = click.option(
    "--task-from",
    cls=GroupedOption,
    group="Task",
    metavar="MODULE:NAME",
    help="Your own task: a function on integers, a Task or a MealyMachine in a module, which "
    "may be in the current folder. Options follow as --param, for example --param order=most.",
)


def parameters(texts: Sequence[str]) -> dict[str, int | str]:
    """Parse parameters like ``"factor=3"``.

    Raises:
        InvalidValueError: A text has another form, or repeats a name.
    """
    from seqarith.digits import parse_integer
    from seqarith.errors import DigitsError

    found: dict[str, int | str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals and value) or name in found:
            raise InvalidValueError(
                f"--param {text!r}: expected NAME=VALUE, for example factor=3, each name once"
            )
        try:
            found[name] = parse_integer(value)
        except DigitsError:
            found[name] = value
    return found


ask_option = click.option(
    "--ask",
    cls=GroupedOption,
    group="Task",
    type=int,
    metavar="N",
    help="With --task-from: call the function on at most N inputs.  [default: about 200,000]",
)


def own_task(
    place: str,
    base: int,
    operands: int | None,
    given: dict[str, int | str],
    ask: int | None = None,
) -> Task:
    """Return the custom task at ``"module:name"``.

    Args:
        place: Module and name of a function on integers, a `Task` or a `MealyMachine`; modules in
            the current folder are found as well.
        base: Base of the digits.
        operands: Number of operands; None: the number of arguments of the function.
        given: Options of `task_from_function` or `task_from_machine`, for example the order.
        ask: Maximum number of calls of the function; None: as many as five seconds allow.

    Raises:
        InvalidValueError: Nothing has that name, or the task has no such option.
        TaskError: The object cannot be turned into a task.
    """
    from seqarith.machine import MealyMachine
    from seqarith.tasks.custom.from_machine import task_from_machine
    from seqarith.tasks.task import Task

    found = _imported(place)
    options: dict[str, Any] = {"base": base, **given}
    if operands is not None:
        options["operands"] = operands
    if ask is not None and (isinstance(found, Task | MealyMachine) or not callable(found)):
        raise InvalidValueError(f"--ask {ask}: {place} is not a function")
    if isinstance(found, Task):
        if given:
            raise InvalidValueError(
                f"--param {min(given)}: {place} is a Task, which takes no parameters; "
                "remove --param"
            )
        return found
    if isinstance(found, MealyMachine):
        options.setdefault("name", place.rpartition(":")[2])
        return _built(task_from_machine, found, options, place)
    if callable(found):
        return _learned(found, options, place, ask)
    raise TaskError(
        f"{place} is a {type(found).__name__}; expected a function on integers, a Task or a "
        "MealyMachine"
    )


def _learned(found: Any, options: dict[str, Any], place: str, ask: int | None) -> Task:
    """Return the task of a function; report the number of calls and any warnings."""
    import warnings

    from seqarith.cli.output import Bar
    from seqarith.errors import CutShortWarning, UnboundedWarning
    from seqarith.tasks.custom.from_function import task_from_function

    bar = Bar("ask")

    def make(function: Any, **chosen: Any) -> Task:
        return task_from_function(function, ask=ask, progress=bar, **chosen)

    with warnings.catch_warnings(record=True) as raised:
        for kind in (CutShortWarning, UnboundedWarning):
            warnings.simplefilter("always", kind)
        try:
            task = _built(make, found, options, place, task_from_function)
        finally:
            bar.close()
    assert task.machine is not None
    assert task.asked is not None
    states = counted(task.machine.states, "state")
    notice(f"Found a machine of {states} in {place} by asking {task.asked.words:,} words.")
    for each in raised:
        notice(f"Warning: {each.message}.")
    return task


def with_function(model: Model, place: str) -> Model:
    """Return a model whose task has the function that its machine was learned from.

    Args:
        model: A model of a custom task.
        place: The function, ``"module:name"``.

    Raises:
        InvalidValueError: The task is not a custom one, or ``place`` is not a function.
        TaskError: The function takes other operands, or returns something else.
    """
    from dataclasses import replace

    from seqarith.tasks.custom.encoded import EncodedFunction

    task = model.task
    if not task.own:
        raise InvalidValueError(
            f"--task-from {place}: {task.name} is a task of the registry, not of a function"
        )
    found = _imported(place)
    if not callable(found):
        raise InvalidValueError(
            f"--task-from {place}: a {type(found).__name__}; expected the function on integers "
            f"that the model was trained on"
        )
    function = EncodedFunction(found, task.name, task.symbols)
    function(*[0] * task.operands)  # refuses a function with other operands or results
    return replace(model, task=replace(task, reference=function, function=function))


def _imported(place: str) -> Any:
    module, colon, name = place.partition(":")
    if not (module and colon and name):
        raise InvalidValueError(
            f"--task-from {place!r}: expected MODULE:NAME, for example tasks:double"
        )
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        found = import_module(module)
    except (Exception, SystemExit) as error:  # user code may raise anything
        what = " ".join(f"{type(error).__name__}: {error}".split())
        raise InvalidValueError(
            f"--task-from {place}: {module} cannot be imported: {what}"
        ) from None
    if not hasattr(found, name):
        raise InvalidValueError(f"--task-from {place}: {module} has no {name!r}")
    return getattr(found, name)


def _built(make: Any, found: Any, options: dict[str, Any], place: str, signed: Any = None) -> Task:
    hidden = ("function", "machine", "ask", "progress")  # --ask is a separate option
    known = [name for name in signature(signed or make).parameters if name not in hidden]
    for name in options:
        if name not in known:
            raise InvalidValueError(f"--param {name}: {place} takes {', '.join(known)}")
    for name in ("name", "notation", "order", "symbols"):
        if name in options:  # always texts, even if they look like numbers
            options[name] = str(options[name])
    if "symbols" in options:
        options["symbols"] = tuple(options["symbols"].split(","))
    task: Task = make(found, **options)
    return task
