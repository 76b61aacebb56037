"""``seqarith tasks``, ``cells``, ``losses``, ``optimizers``, ``schedules``: what is registered."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import click

from seqarith import registry
from seqarith.cli.output import json_option, print_json

if TYPE_CHECKING:
    from seqarith.registry import Registry
    from seqarith.tasks.task import Task

EXAMPLE = (37, 58, 21, 14, 9)


@click.command("tasks")
@json_option
def tasks_command(as_json: bool) -> None:
    """List the tasks."""
    rows = [_task_row(name) for name in registry.TASKS]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo(f"{row['task']:<12} {row['formula']}: {row['summary']}")
        states = f"{row['states']} states" if row["states"] else "no finite machine"
        click.echo(
            f"{'':<12} {row['order']} significant digit first, {states}, delay {row['delay']}; "
            f"for example {row['example']}"
        )


def _task_row(name: str) -> dict[str, Any]:
    factory = registry.TASKS[name]
    task: Task = factory()
    operands = EXAMPLE[: task.operands]
    result = task.result_text(task.reference(*operands))
    return {
        "task": name,
        "formula": task.formula,
        "summary": _summary(factory),
        "order": task.order,
        "states": task.machine.states if task.machine else None,
        "delay": task.delay,
        "operands": task.operands,
        "options": _options(factory),
        "example": f"{task.expression(operands)} = {result}",
    }


def _listing(name: str, entries: Registry[Any]) -> click.Command:
    @click.command(name, help=f"List the {name}.")
    @json_option
    def command(as_json: bool) -> None:
        rows: list[dict[str, Any]] = [
            {
                entries.kind: entry,
                "summary": _summary(entries[entry]),
                "options": _options(entries[entry]),
            }
            for entry in entries
        ]
        if as_json:
            print_json(rows)
            return
        for row in rows:
            click.echo(f"{row[entries.kind]:<22} {row['summary']}")
            if row["options"]:
                options = ", ".join(f"{key}={value}" for key, value in row["options"].items())
                click.echo(f"{'':<22} options: {options}")

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
