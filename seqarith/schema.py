"""Schemas of JSON, which are checked before the values are used.

A schema is built from `Integer`, `Number`, `Flag`, `Text`, `Maybe`, `AnyOf`, `ListOf`, `Row`,
`Record` and `Json`. `seqarith.formats` holds the schemas of all files.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NoReturn, final

from seqarith.errors import InvalidValueError
from seqarith.text import shortened

MAX_INTEGER = 2**62
"""Default limit of integers, in absolute value."""

LARGEST_FLOAT = 1.7e308  # a little below the largest float64
SHOWN = 40  # characters of a value, or of a key, that a message quotes


class Schema(ABC):
    """A set of allowed values."""

    @abstractmethod
    def check(self, value: Any, at: str) -> None:
        """Refuse a value that the schema does not allow.

        Args:
            value: The value.
            at: Its path, for messages: ``"training.bits"``; empty for the whole document.

        Raises:
            InvalidValueError: It is not allowed; the message is one short line.
        """

    @property
    def limits(self) -> str:
        """The allowed values in a few words, for a help text; empty if that would be long."""
        return ""


@final
@dataclass(frozen=True)
class Integer(Schema):
    """An integer from ``low`` to ``high``; true and false are not integers."""

    low: int = -MAX_INTEGER
    high: int = MAX_INTEGER

    def check(self, value: Any, at: str) -> None:
        if type(value) is not int or not self.low <= value <= self.high:
            _refuse(at, value, f"an integer{_between(self.low, self.high, MAX_INTEGER)}")

    @property
    def limits(self) -> str:
        return _limits(self.low, self.high, MAX_INTEGER)


@final
@dataclass(frozen=True)
class Number(Schema):
    """A finite number from ``low`` to ``high``; above 0 if it is ``positive``."""

    low: float = -LARGEST_FLOAT
    high: float = LARGEST_FLOAT
    positive: bool = False

    def check(self, value: Any, at: str) -> None:
        # A comparison of integers with floats is exact, and false for nan.
        finite = type(value) in (int, float) and self.low <= value <= self.high
        if not finite or (self.positive and value <= 0):
            above = " above 0" if self.positive else ""
            limits = above or _between(self.low, self.high, LARGEST_FLOAT)
            _refuse(at, value, f"a finite number{limits}")

    @property
    def limits(self) -> str:
        return "above 0" if self.positive else _limits(self.low, self.high, LARGEST_FLOAT)


@final
@dataclass(frozen=True)
class Flag(Schema):
    """True or false."""

    def check(self, value: Any, at: str) -> None:
        if type(value) is not bool:
            _refuse(at, value, "true or false")


@final
@dataclass(frozen=True)
class Text(Schema):
    """A text of at most ``limit`` characters; optionally one of ``choices``, or of a pattern."""

    limit: int = 200
    choices: tuple[str, ...] = ()
    pattern: str = ""

    def check(self, value: Any, at: str) -> None:
        if self.choices and (type(value) is not str or value not in self.choices):
            _refuse(at, value, self.limits)
        if type(value) is not str or len(value) > self.limit:
            _refuse(at, value, f"a text of at most {self.limit} characters")
        if self.pattern and not re.fullmatch(self.pattern, value):
            _refuse(at, value, f"a text like {self.pattern}")
        if not _is_unicode(value):
            _refuse(at, value, "Unicode text, without half a surrogate pair")

    @property
    def limits(self) -> str:
        *others, last = self.choices or ("",)
        return f"{', '.join(others)} or {last}" if others else last


@final
@dataclass(frozen=True)
class Maybe(Schema):
    """Null, or a value that another schema allows."""

    schema: Schema

    def check(self, value: Any, at: str) -> None:
        if value is not None:
            self.schema.check(value, at)

    @property
    def limits(self) -> str:
        return self.schema.limits


@final
@dataclass(frozen=True)
class AnyOf(Schema):
    """A value that one of several schemas allows; messages come from the last one."""

    schemas: tuple[Schema, ...]

    def check(self, value: Any, at: str) -> None:
        for schema in self.schemas[:-1]:
            with suppress(InvalidValueError):
                return schema.check(value, at)
        return self.schemas[-1].check(value, at)


@final
@dataclass(frozen=True)
class ListOf(Schema):
    """A list of ``least`` to ``most`` values of one kind."""

    schema: Schema
    most: int
    least: int = 0

    def check(self, value: Any, at: str) -> None:
        if type(value) is not list or not self.least <= len(value) <= self.most:
            _refuse(at, value, f"a list of {self.least} to {self.most} values")
        for number, each in enumerate(value):
            self.schema.check(each, f"{at}[{number}]")


@final
@dataclass(frozen=True)
class Row(Schema):
    """A list with one value for each schema, in their order."""

    schemas: tuple[Schema, ...]

    def check(self, value: Any, at: str) -> None:
        if type(value) is not list or len(value) != len(self.schemas):
            _refuse(at, value, f"a list of {len(self.schemas)} values")
        for number, schema in enumerate(self.schemas):
            schema.check(value[number], f"{at}[{number}]")


@final
@dataclass(frozen=True)
class Record(Schema):
    """An object with required keys, optional ones and, if ``rest`` is given, any others."""

    required: Mapping[str, Schema] = field(default_factory=dict)
    optional: Mapping[str, Schema] = field(default_factory=dict)
    rest: Schema | None = None

    def check(self, value: Any, at: str) -> None:
        if type(value) is not dict:
            _refuse(at, value, "an object")
        for name in self.required:
            if name not in value:
                raise InvalidValueError(f"{at or 'it'} lacks {name!r}")
        known = {**self.required, **self.optional}
        for key, each in value.items():
            schema = known.get(key, self.rest)
            if schema is None:
                raise InvalidValueError(f"{at or 'it'} has an unknown key {shown(key)}")
            _KEY.check(key, f"a key{f' of {at}' if at else ''}")
            schema.check(each, f"{at}.{shortened(key, SHOWN)}" if at else shortened(key, SHOWN))


@final
@dataclass(frozen=True)
class Json(Schema):
    """Any JSON of at most ``depth`` levels: finite numbers, Unicode text."""

    depth: int = 6

    def check(self, value: Any, at: str) -> None:
        if type(value) in (dict, list) and not self.depth:
            _refuse(at, "a list or an object", "fewer levels")
        inner = Json(self.depth - 1)
        if type(value) is dict:
            Record(rest=inner).check(value, at)
        elif type(value) is list:
            ListOf(inner, 2**20).check(value, at)
        elif value is not None and type(value) is not bool:
            _SCALARS.get(type(value), _NUMBER).check(value, at)


_KEY, _NUMBER = Text(200), Number()
_SCALARS: dict[type, Schema] = {str: Text(2**20), int: Integer()}


def _is_unicode(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= c <= "\udfff" for c in text)


def _between(low: float, high: float, largest: float) -> str:
    """Return limits as part of an error message."""
    if high < largest:
        return f" from {low} to {high}"
    return f" of at least {low}" if low > -largest else ""


def _limits(low: float, high: float, largest: float) -> str:
    if high < largest:
        return f"{low:,} to {high:,}"
    return f"at least {low:,}" if low > -largest else ""


def shown(value: Any) -> str:
    """Return a value as text, shortened, for an error message."""
    if type(value) is int and value.bit_length() > 100:
        return f"an integer of {value.bit_length()} bits"
    if type(value) in (dict, list):
        return f"{'an object' if type(value) is dict else 'a list'} of {len(value)} values"
    return shortened(repr(value), SHOWN)


def _refuse(at: str, value: Any, expected: str) -> NoReturn:
    raise InvalidValueError(
        f"{at or 'it'} {'' if at else 'is '}{shown(value)}: expected {expected}"
    )
