"""``seqarith tasks``, ``cells``, ``losses``, ``optimizers``, ``schedules``: list registries."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import click

from seqarith import registry
from seqarith.cli.arguments import json_option
from seqarith.cli.output import fail, print_json, say
from seqarith.errors import SeqarithError
from seqarith.text import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from seqarith.registry import Registry
    from seqarith.tasks.task import Task

EXAMPLE = (37, 58, 21, 14, 9)


@click.command("tasks")
@click.argument("name", required=False)
@json_option
def tasks_command(name: str | None, as_json: bool) -> None:
    """List the tasks, or describe the task NAME.

    \b
      seqarith tasks
      seqarith tasks mod
    """
    if name is not None:
        row = {**_task_row(name), "details": inspect.getdoc(registry.TASKS[name]) or ""}
        if as_json:
            print_json(row)
        else:
            _print_task(row)
            say("", *row["details"].splitlines())
        return
    _print_rows(registry.TASKS, _task_row, _print_task, as_json)


def _print_rows(
    entries: Registry[Any],
    make: Callable[[str], dict[str, Any]],
    show: Callable[[dict[str, Any]], None],
    as_json: bool,
) -> None:
    """Print a row for every entry that can be loaded, then the errors of the others."""
    rows, errors = list[dict[str, Any]](), list(entries.ignored.values())
    for name in entries:
        try:
            rows.append(make(name))
        except SeqarithError as error:
            errors.append(str(error))
    if as_json:
        print_json(rows)
    else:
        for row in rows:
            show(row)
    for message in errors:
        fail(f"Error: {message}")
    if errors:
        click.get_current_context().exit(1)


def _print_task(row: dict[str, Any]) -> None:
    say(f"{row['task']:<12} {row['formula']}: {row['summary']}")
    states = counted(row["states"], "state") if row["states"] else "no finite machine, fixed width"
    say(
        f"{'':<12} {row['order']} significant digit first, {states}, delay {row['delay']}"
        f"{'' if row['negative'] else ', naturals only'}; for example {row['example']}"
    )
    if row["parameters"]:
        shown = " ".join(f"--{name} {value}" for name, value in row["parameters"].items())
        say(f"{'':<12} {shown}")


def _task_row(name: str) -> dict[str, Any]:
    factory = registry.TASKS[name]
    task: Task = factory()
    operands = EXAMPLE[: task.operands]
    return {
        "task": name,
        "formula": task.formula,
        "summary": _summary(factory),
        "order": task.order,
        "states": task.machine.states if task.machine else None,
        "delay": task.delay,
        "operands": task.operands,
        "negative": task.negative,
        "result": list(task.symbols) if task.result == "symbol" else "number",
        "parameters": dict(task.parameters),
        "options": _options(factory),
        "example": task.equation(operands, task.reference(*operands)),
    }


def _listing(name: str, entries: Registry[Any]) -> click.Command:
    @click.command(name, help=f"List the {name}.")
    @json_option
    def command(as_json: bool) -> None:
        _print_rows(entries, row_of, show, as_json)

    def row_of(entry: str) -> dict[str, Any]:
        return {
            entries.kind: entry,
            "summary": _summary(entries[entry]),
            "options": _options(entries[entry]),
        }

    def show(row: dict[str, Any]) -> None:
        say(f"{row[entries.kind]:<22} {row['summary']}")
        if row["options"]:
            options = ", ".join(f"{key}={value}" for key, value in row["options"].items())
            say(f"{'':<22} options: {options}")

    return command


cells_command = _listing("cells", registry.CELLS)
losses_command = _listing("losses", registry.LOSSES)
optimizers_command = _listing("optimizers", registry.OPTIMIZERS)
schedules_command = _listing("schedules", registry.SCHEDULES)


def _summary(entry: Any) -> str:
    return (inspect.getdoc(entry) or "").split("\n")[0]


def _options(entry: Any) -> dict[str, Any]:
    """Return the options of an entry with their defaults."""
    parameters = inspect.signature(entry).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not inspect.Parameter.empty}
