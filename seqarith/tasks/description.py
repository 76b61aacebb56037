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
    """Return the task of a description.

    Raises:
        UnknownNameError: There is none of that name.
        InvalidValueError: It has no such parameter.
        TaskError: Its values are out of range.
        KeyError: Something is missing.
        TypeError: Something is of another type.
    """
    name, base = typed(description["name"], str), typed(description["base"], int)
    operands = typed(description["operands"], int)
    parameters = typed(description["parameters"], dict)
    if "own" in description:
        if parameters:
            raise TaskError(f"parameters of {name!r}: a task with its own machine has none")
        return _own_task(name, base, operands, typed(description["own"], dict))
    return named_task(name, base, operands, parameters)


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
        UnknownNameError: There is none of that name.
        InvalidValueError: It has no such parameter.
        TaskError: Its values are out of range.
    """
    options: dict[str, Any] = {"base": base}
    for key, value in parameters.items():
        options[typed(key, str)] = value if type(value) is str else typed(value, int)
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


def typed(value: Any, kind: type) -> Any:
    """Return a value if it is of exactly that type.

    Raises:
        TypeError: It is of another type.
    """
    if type(value) is not kind:
        raise TypeError(f"{value!r} is not of type {kind.__name__}")
    return value


def _own_task(name: str, base: int, operands: int, own: Mapping[str, Any]) -> Task:
    names = tuple(typed(text, str) for text in typed(own["names"], list))
    symbols = tuple(typed(text, str) for text in typed(own["symbols"], list))
    outputs = len(symbols) or base
    tables = _table(own["next_state"]), _table(own["output"])
    from seqarith.tasks.custom.from_machine import task_from_machine
    from seqarith.tasks.custom.reserved import owner_of

    notation = typed(own["notation"], str)
    if owner_of(notation, operands):  # files before 0.6 may hold one of the registry's
        notation = ""
    task = task_from_machine(
        MealyMachine(*tables, outputs, 0, names),
        name,
        operands=operands,
        base=base,
        order=typed(own["order"], str),
        delay=typed(own["delay"], int),
        symbols=symbols,
        notation=notation,
    )
    if "asked" not in own:
        return task
    # A function may refuse negative operands, or differ there, although its machine accepts them.
    negative = task.negative and bool(own.get("negative", True))
    return dataclasses.replace(task, asked=_asked(own["asked"]), negative=negative)


def _asked(told: Any) -> Asked:
    """Return what a file says about the function that its machine was learned from."""
    function, words = typed(typed(told, dict)["function"], str), typed(told["words"], int)
    if set(told) != {"function", "words"} or len(function) > 200 or not 0 < words < 2**62:
        raise TaskError("own.asked holds a function's name and how many words it was asked")
    return Asked(function, words)


def _lines(table: list[list[int]]) -> list[str]:
    # One string for each state: as separate numbers each would take a line of the header.
    return [" ".join(map(str, row)) for row in table]


def _table(lines: Any) -> list[list[int]]:
    from seqarith.tasks.custom.from_machine import MAX_CELLS

    rows = [[int(text) for text in typed(line, str).split()] for line in typed(lines, list)]
    sizes = {len(row) for row in rows}
    if len(sizes) != 1 or len(rows) * max(sizes) > MAX_CELLS:
        raise TaskError(f"a machine's table has rows of one length, {MAX_CELLS} entries at most")
    if any(not 0 <= value < MAX_CELLS for row in rows for value in row):
        raise TaskError(f"a machine's table holds numbers from 0 to {MAX_CELLS - 1}")
    return rows
