"""What JSON may hold: each piece of a schema, and what no JSON of ours holds."""

from __future__ import annotations

import math
from typing import Any

import pytest

from seqarith.errors import InvalidValueError
from seqarith.schema import (
    AnyOf,
    Flag,
    Integer,
    Json,
    ListOf,
    Maybe,
    Number,
    Record,
    Row,
    Schema,
    Text,
)
from seqarith.strict_json import parse_json

VALUES: list[Any] = [None, True, 0, -1, 2**70, 0.5, math.nan, math.inf, "x", "\ud800", [], [1], {}]


def allowed(schema: Schema) -> list[Any]:
    """Return those of the values that a schema allows."""
    found: list[Any] = []
    said: list[str] = []
    for value in VALUES:
        try:
            schema.check(value, "it")
        except InvalidValueError as error:
            said.append(str(error))
        else:
            found.append(value)
    assert all(each.startswith("it") and len(each) < 200 for each in said)
    return found


@pytest.mark.parametrize(
    ("schema", "values"),
    [
        (Integer(0), [0]),
        (Integer(-5, -1), [-1]),
        (Number(), [0, -1, 2**70, 0.5]),
        (Number(0, 1), [0, 0.5]),
        (Flag(), [True]),
        (Text(), ["x"]),
        (Text(choices=("y",)), []),
        (Text(pattern="[a-z]"), ["x"]),
        (Maybe(Flag()), [None, True]),
        (AnyOf((Flag(), Text())), [True, "x"]),
        (ListOf(Integer(), 3), [[], [1]]),
        (ListOf(Integer(), 3, 1), [[1]]),
        (ListOf(Flag(), 3), [[]]),
        (Row((Integer(),)), [[1]]),
        (Record(), [{}]),
        (Record({"a": Flag()}), []),
        (Json(1), [None, True, 0, -1, 0.5, "x", [], [1], {}]),
        (Json(0), [None, True, 0, -1, 0.5, "x"]),
    ],
    ids=str,
)
def test_what_is_allowed(schema: Schema, values: list[Any]) -> None:
    found = allowed(schema)
    assert [(type(value), value) for value in found] == [(type(each), each) for each in values]


def test_a_closed_record_names_what_it_lacks_and_what_it_does_not_know() -> None:
    schema = Record({"a": Record({"b": Flag()})}, {"c": Integer()})
    schema.check({"a": {"b": True}, "c": 1}, "")
    with pytest.raises(InvalidValueError, match=r"^it lacks 'a'$"):
        schema.check({}, "")
    with pytest.raises(InvalidValueError, match=r"^a lacks 'b'$"):
        schema.check({"a": {}}, "")
    with pytest.raises(InvalidValueError, match=r"^it has an unknown key 'x'$"):
        schema.check({"a": {"b": True}, "x": 1}, "")
    with pytest.raises(InvalidValueError, match=r"^a\.b 1: expected true or false$"):
        schema.check({"a": {"b": 1}}, "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("", "not JSON"),
        ('{"a": 1, "a": 1}', "key 'a' twice"),
        ('[{"b": {"a": 1, "a": 2}}]', "key 'a' twice"),
        ("[NaN]", "holds NaN"),
        ("[-Infinity]", "holds -Infinity"),
        ("1e999", "beyond the largest number"),
        ("1" + "0" * 400, "an integer of 401 digits"),
        ("9" * 10_000, "an integer of 10000 digits"),
        ("9" * 30, "expected an integer"),
        (r'"\ud800"', "Unicode"),
        (r'{"\udfff": 1}', "Unicode"),
        ("[" * 40 + "]" * 40, "fewer levels"),
        ("[" * 200_000 + "]" * 200_000, "nested too deep"),
        ('{"a":' * 200_000, "nested too deep"),
    ],
    ids=lambda text: text[:20],
)
def test_json_that_is_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message) as caught:
        parse_json(text)
    assert len(str(caught.value)) < 200


def test_json_that_is_read() -> None:
    text = r'{"a": [1, 2.5, -1e300, null, true, "\ud83d\ude00"], "b": {}}'
    assert parse_json(text) == {"a": [1, 2.5, -1e300, None, True, "\U0001f600"], "b": {}}
    assert parse_json("[NaN, Infinity]", missing=True) == [None, None]
