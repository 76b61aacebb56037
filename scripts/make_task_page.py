"""Write docs/tasks.md from the registry: every task, what it does, and why a machine can do it.

Run it after a task was added or changed: python scripts/make_task_page.py
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

from seqarith.errors import TaskError
from seqarith.registry import TASKS
from seqarith.tasks.parameters import parameters_of
from seqarith.tasks.task import Task

PAGE = Path(__file__).parent.parent / "docs" / "tasks.md"
OPERANDS = (37, 58, 21, 14, 9)
INTRODUCTION = """# The tasks

<!-- Written by scripts/make_task_page.py from the registry; change the docstrings instead. -->

These are the functions that a network can be trained to compute. *Order* is the digit that is read
first, the least or the most significant. *Delay* is the number of steps before the first digit of
the result. *States* is the number of states of the smallest finite-state machine, with the default
parameters in base 2. If there is no such machine, a network can learn the task only at a fixed
width, and no proof for every width is possible: see [limits](limits.md). `seqarith tasks NAME`
prints the description of one task.

A parameter is an option of `train`, as in `seqarith train scale --factor 5`, and a keyword in
Python: `sa.train("scale", factor=5)`.
"""


def page() -> str:
    """Return the page."""
    head = "| task | formula | order | states | delay | example |\n|---|---|---|---|---|---|\n"
    rows = "".join(_row(name, TASKS[name]()) for name in TASKS)
    return "\n".join([INTRODUCTION, head + rows, *(_section(name) for name in TASKS)])


def _row(name: str, task: Task) -> str:
    states = str(task.machine.states) if task.machine else "none"
    cells = (
        f"[`{name}`](#{name})",
        f"`{_escaped(task.formula)}`",
        task.order,
        states,
        str(task.delay),
        f"`{_escaped(_example(task))}`",
    )
    return f"| {' | '.join(cells)} |\n"


def _section(name: str) -> str:
    factory = TASKS[name]
    task: Task = factory()
    text = (inspect.getdoc(factory) or "").partition("\n\nArgs:\n")[0]
    lines = [f"## {name}", "", _markdown(text), ""]
    lines += ["| parameter | default | range | |", "|---|---|---|---|"]
    for each in parameters_of(factory):
        meaning = _markdown(each.help)
        lines.append(f"| `{each.name}` | `{each.usual}` | {each.schema.limits} | {meaning} |")
    lines += ["", f"{_operands(task)}; {_signs(task)}; bases {_bases(factory)}.", ""]
    return "\n".join(lines)


def _example(task: Task) -> str:
    operands = OPERANDS[: task.operands]
    return task.equation(operands, task.reference(*operands))


def _operands(task: Task) -> str:
    return "One operand" if task.operands == 1 else f"{task.operands} operands by default"


def _signs(task: Task) -> str:
    return "any sign" if task.negative else "naturals only"


def _bases(factory: Any) -> str:
    """Return the bases that a task takes, found by asking it."""
    taken = []
    for base in range(2, 17):
        try:
            factory(base=base)
        except TaskError:
            continue
        taken.append(base)
    return "2 to 16" if len(taken) == 15 else ", ".join(map(str, taken))


def _markdown(text: str) -> str:
    return _escaped(re.sub(r"``(.+?)``", r"`\1`", text))


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
