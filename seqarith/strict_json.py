"""Parse JSON strictly: finite numbers, Unicode text, no key twice, limited depth."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from seqarith.errors import InvalidValueError
from seqarith.schema import SHOWN, Json, shown
from seqarith.text import shortened

LONGEST_NUMBER = 40
"""Most characters of an integer in JSON; the largest in any file has 19 digits."""

DEEPEST = 32
"""Most levels of lists and objects in JSON that is read."""


def parse_json(text: str, *, missing: bool = False) -> Any:
    """Parse JSON strictly.

    Args:
        text: The text.
        missing: Read ``NaN`` and ``Infinity``, which are not JSON, as null; else refuse them.

    Raises:
        InvalidValueError: It is not JSON, an object has a key twice, a number is not finite or an
            integer of more than 40 digits, a text is not Unicode, or it is nested too deep.

    Example:
        >>> parse_json('{"steps": 50}')
        {'steps': 50}
    """
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=(lambda name: None) if missing else _constant,
            parse_int=_integer,
            parse_float=_float,
        )
        Json(DEEPEST).check(value, "")
    except InvalidValueError:
        raise
    except (RecursionError, MemoryError):
        raise InvalidValueError("its JSON is nested too deep") from None
    except ValueError as error:
        raise InvalidValueError(f"it is not JSON ({shortened(str(error), 80)})") from None
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise InvalidValueError(f"an object has the key {shown(name)} twice")
        found[name] = value
    return found


def _constant(name: str) -> NoReturn:
    raise InvalidValueError(f"it holds {name}, which is not a number")


def _integer(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise InvalidValueError(f"it holds an integer of {len(text)} digits")
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise InvalidValueError(f"it holds {shortened(text, SHOWN)}, beyond the largest number")
    return value
