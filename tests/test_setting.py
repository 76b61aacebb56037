"""A setting says its name, default and range the same way everywhere."""

from __future__ import annotations

from typing import Any

import pytest

from seqarith.errors import InvalidValueError
from seqarith.schema import AnyOf, Flag, Integer, Maybe, Number, Schema, Text
from seqarith.setting import Setting, with_arguments


@pytest.mark.parametrize(
    ("schema", "default", "notes"),
    [
        (Integer(2, 16), 2, "default: 2; 2 to 16"),
        (Integer(0), None, "default: fits; at least 0"),
        (Integer(), 7, "default: 7"),
        (Number(positive=True), 0.5, "default: 0.5; above 0"),
        (Maybe(Number(0)), None, "default: fits; at least 0"),
        (Number(0, 1), 0.5, "default: 0.5; 0 to 1"),
        (Text(choices=("a", "b", "c")), "a", "default: a; a, b or c"),
        (Text(), "a", "default: a"),
        (AnyOf((Text(), Integer())), None, "default: fits"),
        (Flag(), False, ""),
    ],
)
def test_default_and_range_in_words(schema: Schema, default: Any, notes: str) -> None:
    assert Setting("name", default, schema, "Help.", fits="fits").notes == notes


def test_a_default_of_none_may_be_given_and_no_other_none() -> None:
    Setting("hidden", None, Integer(1), "Hidden units.").check(None)
    with pytest.raises(InvalidValueError, match="max steps None: expected an integer"):
        Setting("max_steps", 5, Integer(1), "Steps.").check(None)


def test_arguments_stand_before_the_sections_that_follow() -> None:
    docstring = """Do it.

    It is done.

    Raises:
        ValueError: It cannot be.
    """
    setting = Setting("base", 2, Integer(2, 16), "Base of the digits.")
    assert with_arguments(docstring, [setting]).splitlines() == [
        "Do it.",
        "",
        "It is done.",
        "",
        "Args:",
        "    base: Base of the digits. [default: 2; 2 to 16]",
        "",
        "Raises:",
        "    ValueError: It cannot be.",
    ]
