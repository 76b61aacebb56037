"""Tasks as JSON: by their name in the registry; custom tasks with their machine."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import lru_cache
from inspect import Parameter, signature
from typing import Any

from seqarith.errors import SeqarithError, TaskError
from seqarith.machine import MealyMachine
from seqarith.registry import TASKS
from seqarith.tasks.custom.origin import Asked
from seqarith.tasks.task import Task


def describe_task(task: Task) -> dict[str, Any]:
    """Return what `build_task` needs, ready for JSON.

    Raises:
        TaskError: It is a custom task without a machine.
    """
    if task.own and task.machine is None:
        raise TaskError(
            f"task {task.name!r} has no machine, which a file of a custom task must hold; register "
            "it under the entry-point group 'seqarith.tasks' instead"
        )
    description: dict[str, Any] = {
        "name": task.name,
        "base": task.base,
        "operands": task.operands,
        "parameters": dict(task.parameters),
    }
    if task.own and task.machine is not None:
        description["own"] = {
            "notation": task.notation,
            "order": task.order,
            "delay": task.delay,
            "symbols": list(task.symbols),
            "names": list(task.machine.names),
            "next_state": _lines(task.machine.next_state.tolist()),
            "output": _lines(task.machine.output.tolist()),
        }
        if task.asked is not None and not task.negative:
            description["own"]["negative"] = False
        if task.asked is not None:
            description["own"]["asked"] = dataclasses.asdict(task.asked)
    return description


def build_task(description: Mapping[str, Any]) -> Task:
    """Return the task of a description that has passed `seqarith.formats.TASK`.

    Raises:
        UnknownNameError: No task has that name.
        InvalidValueError: The task has no such parameter.
        TaskError: A value is out of range.
        MachineError: The tables of its machine contradict each other.
    """
    name, base, operands, parameters = (
        description[key] for key in ("name", "base", "operands", "parameters")
    )
    if "own" not in description:
        return named_task(name, base, operands, parameters)
    if parameters:
        raise TaskError(f"parameters of {name!r}: a task with its own machine has none")
    return _own_task(name, base, operands, description["own"])


def named_task(
    name: str, base: int, operands: int | None, parameters: Mapping[str, int | str]
) -> Task:
    """Return a task of the registry.

    Args:
        name: Its name.
        base: 2 to 16.
        operands: Number of operands; None: the task's default.
        parameters: Values of the task's parameters.

    Raises:
        UnknownNameError: No task has that name.
        InvalidValueError: The task has no such parameter.
        TaskError: A value is out of range.
    """
    options: dict[str, Any] = {"base": base, **parameters}
    choice = signature(TASKS[name]).parameters.get("operands")
    if choice and (operands is not None or choice.default is Parameter.empty):
        options["operands"] = 2 if operands is None else operands
    task = TASKS.build(name, options)
    if not isinstance(task, Task):
        raise TaskError(f"task {name!r} is a {type(task).__name__}; expected a Task")
    if operands not in (None, task.operands):
        raise TaskError(
            f"{operands} operands: task {name!r}, {task.formula}, always has {task.operands}"
        )
    return task


def is_registered(task: Task) -> bool:
    """Return whether a task equals the registered one of its name, machine included."""
    if task.own or task.name not in TASKS:
        return False
    known = _known(task.name, task.base, task.operands, tuple(task.parameters.items()))
    return known == (task.notation, task.negative, task.identity())


@lru_cache(64)
def _known(
    name: str, base: int, operands: int, parameters: tuple[tuple[str, int | str], ...]
) -> tuple[Any, ...] | None:
    """Return what identifies a registered task; None if there is none."""
    try:
        task = named_task(name, base, operands, dict(parameters))
    except SeqarithError:
        return None
    return task.notation, task.negative, task.identity()


def _own_task(name: str, base: int, operands: int, own: Mapping[str, Any]) -> Task:
    from seqarith.tasks.custom.from_machine import task_from_machine
    from seqarith.tasks.custom.reserved import owner_of

    symbols, tables = tuple(own["symbols"]), (_table(own["next_state"]), _table(own["output"]))
    # Files before 0.6 may hold a notation of the registry: the default replaces it.
    notation = "" if owner_of(own["notation"], operands) else own["notation"]
    task = task_from_machine(
        MealyMachine(*tables, len(symbols) or base, 0, tuple(own["names"])),
        name,
        operands=operands,
        base=base,
        order=own["order"],
        delay=own["delay"],
        symbols=symbols,
        notation=notation,
    )
    if "asked" not in own:
        return task
    # A function may refuse negative operands, or differ there, although its machine accepts them.
    negative = task.negative and own.get("negative", True)
    return dataclasses.replace(task, asked=Asked(**own["asked"]), negative=negative)


def _lines(table: list[list[int]]) -> list[str]:
    # One string for each state: as separate numbers each would take a line of the header.
    return [" ".join(map(str, row)) for row in table]


def _table(lines: list[str]) -> list[list[int]]:
    rows = [list(map(int, line.split())) for line in lines]
    if len(set(map(len, rows))) > 1:
        raise TaskError("a machine's table has rows of different lengths")
    return rows
