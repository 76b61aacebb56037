"""The parameters of tasks: each is an argument whose annotation holds its range and meaning.

For instance::

    @task_factory
    def scale(
        base: Base = 2,
        factor: Annotated[int, Integer(-64, 64), "Multiplies the operand."] = 3,
    ) -> Task: ...

From this follow the check of its value, the docstring's ``Args``, the option ``--factor`` of
``seqarith train scale`` and the table in the documentation.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from inspect import Parameter, signature
from typing import Annotated, Any, ParamSpec, get_args, get_type_hints

from seqarith.digits import Order
from seqarith.errors import InvalidValueError, TaskError
from seqarith.schema import AnyOf, Integer, Schema, Text
from seqarith.setting import Setting, with_arguments
from seqarith.tasks.task import MAX_LETTERS, Task

P = ParamSpec("P")
MAX_OPERANDS = 16
BASE = Integer(2, 16)
ORDER = Text(choices=("least", "most"))
_ANYTHING = AnyOf((Text(), Integer()))

Base = Annotated[int, BASE, "Base of the digits."]
Operands = Annotated[
    int,
    Integer(2, MAX_OPERANDS),
    f"Number of operands; ``base**operands`` letters are at most {MAX_LETTERS:,}.",
]
DigitOrder = Annotated[Order, ORDER, "Which digit is read first: the least or most significant."]


def task_factory(factory: Callable[P, Task]) -> Callable[P, Task]:
    """Let a function that makes a task refuse values out of range, and document its parameters.

    Args:
        factory: Every argument is annotated with its type, a schema and its meaning.

    Returns:
        The function; it raises `TaskError` for a value that the schema refuses.
    """
    settings = parameters_of(factory)
    named = signature(factory)

    @wraps(factory)
    def checked(*args: P.args, **kwargs: P.kwargs) -> Task:
        given = named.bind(*args, **kwargs)
        given.apply_defaults()
        for setting in settings:
            check(setting.name, given.arguments[setting.name], setting.schema)
        return factory(*args, **kwargs)

    checked.__doc__ = with_arguments(factory.__doc__, settings)
    return checked


@cache
def parameters_of(factory: Callable[..., Any]) -> tuple[Setting, ...]:
    """Return the parameters of a task's factory, also of one in another package.

    Without a schema in its annotation, a parameter may be any integer or text.

    Example:
        >>> from seqarith.registry import TASKS
        >>> [(each.name, each.notes) for each in parameters_of(TASKS["scale"])]
        [('base', 'default: 2; 2 to 16'), ('factor', 'default: 3; -64 to 64')]
    """
    try:
        hints = get_type_hints(factory, include_extras=True)
    except (NameError, TypeError):  # annotations that cannot be evaluated, or none
        hints = {}
    return tuple(_setting(each, hints) for each in signature(factory).parameters.values())


def _setting(argument: Parameter, hints: dict[str, Any]) -> Setting:
    default = None if argument.default is Parameter.empty else argument.default
    told = get_args(hints.get(argument.name))[1:]
    schema = next((each for each in told if isinstance(each, Schema)), _ANYTHING)
    meaning = next((each for each in told if isinstance(each, str)), "See the task.")
    return Setting(argument.name, default, schema, meaning)


def check(name: str, value: object, schema: Schema) -> None:
    """Refuse a value of a parameter.

    Raises:
        TaskError: The schema does not allow it.
    """
    try:
        schema.check(value, name)
    except InvalidValueError as error:
        raise TaskError(str(error)) from None


def check_letters(base: int, operands: int) -> None:
    """Refuse an alphabet that is too large.

    Raises:
        TaskError: There are too many letters.
    """
    if base**operands > MAX_LETTERS:
        raise TaskError(
            f"{operands} operands in base {base} are {base**operands} letters; "
            f"an alphabet has at most {MAX_LETTERS}. Take fewer operands or a smaller base"
        )
