"""Convert integers to and from arrays of digits: any base, any size, any sign.

A digit array has the digits on its first axis (time) and, for many integers at once, the
integers on its second: shape ``(T,)`` or ``(T, N)``, dtype ``uint8``. Negative integers are
written in base complement (two's complement for base 2): modulo ``base**T``.

The order is that of the first axis: ``"least"`` significant digit first, or ``"most"``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, overload

import numpy as np
from numpy.typing import NDArray

from seqarith.errors import DigitsError
from seqarith.long_division import split_digits

Order = Literal["least", "most"]
Digits = NDArray[np.uint8]

BASES = range(2, 17)
LONGEST_TEXT = 2**20
"""Most characters of an integer that is read: as many digits as an operand may have."""

_PYTHON_DIGITS = 640  # decimal digits that Python converts under any sys.set_int_max_str_digits
_WORD = 62  # bits of an integer that fits NumPy's int64, with room to double it


@overload
def to_digits(values: int, width: int, *, base: int = ..., order: Order = ...) -> Digits: ...
@overload
def to_digits(
    values: Sequence[int] | NDArray[np.int64], width: int, *, base: int = ..., order: Order = ...
) -> Digits: ...
def to_digits(
    values: int | Sequence[int] | NDArray[np.int64],
    width: int,
    *,
    base: int = 2,
    order: Order = "least",
) -> Digits:
    """Write integers as digits.

    Args:
        values: One integer, or N of them: Python integers of any size, or an array of int64.
        width: Number of digits T of each, at least 1.
        base: 2 to 16.
        order: Which digit comes first.

    Returns:
        Digits, shape (T,) for one integer and (T, N) for a sequence.

    Raises:
        DigitsError: An integer needs more digits: it must lie between ``-base**T // 2`` and
            ``base**T - 1``.

    Example:
        >>> to_digits(6, 4)
        array([0, 1, 1, 0], dtype=uint8)
        >>> to_digits([-1, 42], 3, base=10, order="most").T
        array([[9, 9, 9],
               [0, 4, 2]], dtype=uint8)
    """
    _check(width, base, order)
    if isinstance(values, int | np.integer):
        digits = _digits_of(int(values), width, base)
    else:
        digits = _digits_of_many(values, width, base)
    return digits if order == "least" else digits[::-1]


@overload
def from_digits(
    digits: NDArray[np.integer], *, base: int = ..., order: Order = ..., signed: bool = ...
) -> list[int]: ...
@overload
def from_digits(
    digits: Sequence[int], *, base: int = ..., order: Order = ..., signed: bool = ...
) -> int: ...
def from_digits(
    digits: NDArray[np.integer] | Sequence[int],
    *,
    base: int = 2,
    order: Order = "least",
    signed: bool = False,
) -> int | list[int]:
    """Read integers from their digits; the inverse of `to_digits`.

    Args:
        digits: Digits below ``base``, shape (T,) or (T, N).
        base: 2 to 16.
        order: Which digit comes first.
        signed: Read base complement: what is at least half of ``base**T`` is negative.

    Returns:
        A Python integer for shape (T,), a list of N of them for (T, N).

    Raises:
        DigitsError: A digit is not below the base, or the shape is wrong.

    Example:
        >>> from_digits([0, 1, 1, 0])
        6
        >>> from_digits([9, 9, 9], base=10, signed=True)
        -1
    """
    table = np.asarray(digits)
    if table.dtype.kind not in "iub":
        raise DigitsError(f"digits are {table.dtype}; expected integers")
    if table.ndim not in (1, 2) or (not table.size and table.ndim == 1):
        raise DigitsError(f"digits have shape {table.shape}; expected (T,) or (T, N) with T >= 1")
    _check(len(table), base, order)
    if table.size and not (table.min() >= 0 and table.max() < base):
        raise DigitsError(f"digits must lie in 0..{base - 1}; found {table.min()}..{table.max()}")
    if order == "most":
        table = table[::-1]
    if table.ndim == 1:
        return _signed(_value_of(table, base), len(table), base, signed)
    if base ** len(table) < 2**_WORD:
        return _values_in_words(table, base, signed)
    return [_signed(_value_of(column, base), len(table), base, signed) for column in table.T]


def count_digits(value: int, base: int = 2, *, signed: bool = False) -> int:
    """Return how many digits an integer needs, at least 1.

    Args:
        value: The integer; a negative one is counted in base complement.
        base: 2 to 16.
        signed: Count for base complement, so that a natural number reads back as one.

    Example:
        >>> count_digits(255), count_digits(255, signed=True), count_digits(-256)
        (8, 9, 9)
    """
    if signed or value < 0:
        # v fits T digits of base complement when -b**T <= 2 v < b**T.
        return _natural_digits(2 * value if value >= 0 else -2 * value - 1, base)
    return _natural_digits(value, base)


_INTEGER = re.compile(r"([+-]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|([0-9]+))\Z")


def parse_integer(text: str) -> int:
    """Read an integer of any size from decimal, ``0x`` or ``0b`` text.

    Python's own limit of 4,300 decimal digits does not apply. Underscores may group digits.

    Raises:
        DigitsError: The text is not an integer, or has more than 2**20 characters.

    Example:
        >>> parse_integer("-0x1F"), parse_integer("0b101"), parse_integer(" 1_000 ")
        (-31, 5, 1000)
    """
    if len(text) > LONGEST_TEXT:
        raise DigitsError(f"an integer of {len(text)} characters: at most {LONGEST_TEXT} are read")
    match = _INTEGER.match(re.sub(r"(?<=[0-9a-fA-F])_(?=[0-9a-fA-F])", "", text.strip()))
    if match is None:
        shown = text if len(text) <= 40 else text[:37] + "..."
        raise DigitsError(f"{shown!r} is not an integer; write 58, -58, 0x3a or 0b111010")
    sign, hexadecimal, binary, decimal = match.groups()
    if hexadecimal or binary:
        value = int(hexadecimal or binary, 16 if hexadecimal else 2)
    elif len(decimal) <= _PYTHON_DIGITS:
        value = int(decimal)
    else:
        value = _value_of(np.frombuffer(decimal.encode("ascii"), np.uint8)[::-1] - 48, 10)
    return -value if sign == "-" else value


def format_integer(value: int) -> str:
    """Write an integer of any size as decimal text; the inverse of `parse_integer`.

    Example:
        >>> format_integer(-(10**5000))[:4], len(format_integer(10**5000))
        ('-100', 5001)
    """
    if value.bit_length() < 3 * _PYTHON_DIGITS:
        return str(value)
    digits = _digits_of(abs(value), _natural_digits(abs(value), 10), 10)
    text = (digits[::-1] + 48).tobytes().decode("ascii")
    return "-" + text if value < 0 else text


def _check(width: int, base: int, order: str) -> None:
    if order not in ("least", "most"):
        raise DigitsError(f"order {order!r}: expected least or most")
    if base not in BASES:
        raise DigitsError(f"base {base} is not supported; choose one from 2 to 16")
    if width < 1:
        raise DigitsError(f"{width} digits: ask for 1 or more")


def _misfit(value: int, width: int, base: int) -> DigitsError:
    shown = str(value) if abs(value) < 10**30 else f"an integer of {value.bit_length()} bits"
    return DigitsError(f"{shown} does not fit {width} digits of base {base}")


def _natural_digits(value: int, base: int) -> int:
    if base & (base - 1) == 0:
        bits = base.bit_length() - 1
        return max(1, -(-value.bit_length() // bits))
    # Start at a lower bound from the length in bits; a few multiplications find the count.
    count = max(0, int((value.bit_length() - 1) / np.log2(base)) - 1)
    power = base**count
    while power <= value:
        power *= base
        count += 1
    return max(1, count)


def _signed(value: int, width: int, base: int, signed: bool) -> int:
    modulus = base**width if signed else 0
    return value - modulus if (signed and 2 * value >= modulus) else value


def _digits_of(value: int, width: int, base: int) -> Digits:
    if value.bit_length() > width * 4 + 1:
        raise _misfit(value, width, base)
    modulus = base**width
    if 2 * value < -modulus or value >= modulus:
        raise _misfit(value, width, base)
    value %= modulus
    if base & (base - 1) == 0:
        return _digits_of_bits(value, width, base.bit_length() - 1)
    leaf = _leaf_digits(base)
    leaves = np.array(split_digits(value, -(-width // leaf), base**leaf), np.int64)
    return _leaves_to_digits(leaves, leaf, base).T.ravel()[:width]


def _digits_of_bits(value: int, width: int, bits: int) -> Digits:
    octets = np.frombuffer(value.to_bytes(-(-width * bits // 8), "little"), np.uint8)
    table = np.unpackbits(octets, count=width * bits, bitorder="little").reshape(width, bits)
    return table @ (1 << np.arange(bits, dtype=np.uint8))


def _leaf_digits(base: int) -> int:
    """Return how many digits of that base always fit an int64."""
    return int(_WORD / np.log2(base))


def _leaves_to_digits(values: NDArray[np.int64], width: int, base: int) -> Digits:
    digits = np.empty((width, *values.shape), np.uint8)
    for place in digits:
        values, place[...] = np.divmod(values, base)
    return digits


def _digits_of_many(values: Sequence[int] | NDArray[np.int64], width: int, base: int) -> Digits:
    if not isinstance(values, np.ndarray):
        if not all(isinstance(value, int | np.integer) for value in values):
            raise DigitsError("values are not all integers")
        largest = int(max((abs(value) for value in values), default=0))
        if largest.bit_length() > _WORD:
            columns = [_digits_of(value, width, base) for value in values]
            return np.ascontiguousarray(np.stack(columns, axis=1))
    elif values.size and values.dtype.kind not in "iub":
        raise DigitsError(f"values are {values.dtype}; expected integers")
    table = np.asarray(values, np.int64)
    if table.ndim != 1:
        raise DigitsError(f"values have shape {table.shape}; expected one axis")
    for extreme in (int(table.min(initial=0)), int(table.max(initial=0))):
        # Fewer bits than digits always fit; this avoids large powers for wide words.
        if extreme.bit_length() >= width and not -(base**width) <= 2 * extreme < 2 * base**width:
            raise _misfit(extreme, width, base)
    return _bits_of_words(table, width) if base == 2 else _leaves_to_digits(table, width, base)


def _bits_of_words(values: NDArray[np.int64], width: int) -> Digits:
    octets = values.astype("<i8").view(np.uint8).reshape(len(values), 8)
    bits = np.unpackbits(octets, axis=1, count=min(width, 64), bitorder="little").T
    if width <= 64:
        return bits
    # The remaining digits repeat the sign, which is the last bit of an int64.
    return np.concatenate([bits, np.broadcast_to(bits[-1], (width - 64, len(values)))])


def _value_of(digits: NDArray[np.integer], base: int) -> int:
    if base & (base - 1) == 0:
        bits = base.bit_length() - 1
        table = (digits[:, None] >> np.arange(bits, dtype=np.uint8)) & 1
        return int.from_bytes(
            np.packbits(table.astype(np.uint8), bitorder="little").tobytes(), "little"
        )
    leaf = _leaf_digits(base)
    padded = np.zeros(-(-len(digits) // leaf) * leaf, np.int64)
    padded[: len(digits)] = digits
    pieces: list[int] = (padded.reshape(-1, leaf) @ base ** np.arange(leaf)).tolist()
    power = base**leaf
    while len(pieces) > 1:
        pieces.extend([0] * (len(pieces) % 2))
        pieces = [low + high * power for low, high in zip(pieces[::2], pieces[1::2], strict=True)]
        power *= power
    return pieces[0]


def _values_in_words(digits: NDArray[np.integer], base: int, signed: bool) -> list[int]:
    powers = base ** np.arange(len(digits), dtype=np.int64)
    values = powers @ digits.astype(np.int64)
    if signed:
        values = np.where(2 * values >= base ** len(digits), values - base ** len(digits), values)
    result: list[int] = values.tolist()
    return result
