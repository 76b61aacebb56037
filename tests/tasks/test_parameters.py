"""Every parameter of a task is declared once: its range, its meaning, its check."""

from __future__ import annotations

import functools
import inspect

import pytest

from seqarith.errors import TaskError
from seqarith.registry import TASKS
from seqarith.schema import Integer, Text
from seqarith.tasks.parameters import parameters_of
from seqarith.tasks.task import Task

DECLARED = [(name, each) for name in TASKS.builtin for each in parameters_of(TASKS[name])]


@pytest.mark.parametrize(
    ("name", "setting"), DECLARED, ids=[f"{name}-{each.name}" for name, each in DECLARED]
)
def test_what_is_out_of_the_declared_range_is_refused(name: str, setting: object) -> None:
    declared = next(each for each in parameters_of(TASKS[name]) if each == setting)
    schema, factory = declared.schema, TASKS[name]
    if isinstance(schema, Integer):
        wrong = [schema.low - 1, schema.high + 1, True, "3"]
    else:
        assert isinstance(schema, Text)
        assert schema.choices
        wrong = ["middle", 1]
    for value in wrong:
        with pytest.raises(TaskError, match=f"^{declared.name} .*: expected "):
            factory(**{declared.name: value})
    assert f"    {declared.name}: {declared.help} [{declared.notes}]" in str(factory.__doc__)
    assert declared.help.endswith(".")


def test_the_signature_stays_that_of_the_task() -> None:
    assert list(inspect.signature(TASKS["mod"]).parameters) == ["base", "divisor", "order"]
    assert TASKS["mod"](2, 5).machine.states == 5


def test_a_task_of_another_package_needs_no_declarations() -> None:
    def triple(base: int = 2, factor: int = 3) -> Task:
        task: Task = TASKS["scale"](base, factor)
        return task

    partial = functools.partial(triple, factor=5)
    for factory, factor in ((triple, 3), (partial, 5)):
        found = [(each.name, each.default) for each in parameters_of(factory)]
        assert found == [("base", 2), ("factor", factor)]
