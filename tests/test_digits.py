"""Digits against repeated division by Python integers."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqarith.digits import (
    BASES,
    count_digits,
    format_integer,
    from_digits,
    parse_integer,
    to_digits,
)
from seqarith.errors import DigitsError, SeqarithError

bases = st.sampled_from(list(BASES))
orders = st.sampled_from(["least", "most"])


def divided(value: int, width: int, base: int, order: str) -> list[int]:
    """Return the digits of an integer by repeated division; Python's rounds down."""
    digits = []
    for _ in range(width):
        digits.append(value % base)
        value //= base
    return digits if order == "least" else digits[::-1]


@st.composite
def fitting(draw: st.DrawFn, largest_width: int = 300) -> tuple[int, int, int, str]:
    """Return an integer that fits, a width, a base and an order."""
    base, width = draw(bases), draw(st.integers(1, largest_width))
    low, high = -(base**width // 2), base**width - 1
    value = draw(st.one_of(st.integers(low, high), st.sampled_from([low, high, 0])))
    return value, width, base, draw(orders)


@given(fitting())
def test_digits_are_those_of_repeated_division(case: tuple[int, int, int, str]) -> None:
    value, width, base, order = case
    digits = to_digits(value, width, base=base, order=order)
    assert digits.dtype == np.uint8
    assert digits.tolist() == divided(value, width, base, order)


@given(fitting())
def test_round_trip(case: tuple[int, int, int, str]) -> None:
    value, width, base, order = case
    digits = to_digits(value, width, base=base, order=order)
    assert from_digits(digits.tolist(), base=base, order=order) == value % base**width
    if 2 * value < base**width:
        assert from_digits(digits.tolist(), base=base, order=order, signed=True) == value
    else:
        signed = from_digits(digits.tolist(), base=base, order=order, signed=True)
        assert signed == value - base**width


@given(bases, st.integers(1, 90), orders, st.booleans(), st.data())
def test_many_at_once_are_as_one_by_one(
    base: int, width: int, order: str, signed: bool, data: st.DataObject
) -> None:
    low = -(base**width // 2) if signed else 0
    high = (base**width - 1) // 2 if signed else base**width - 1
    values = data.draw(st.lists(st.integers(low, high), max_size=8))
    table = to_digits(values, width, base=base, order=order)
    assert table.shape == (width, len(values))
    assert table.T.tolist() == [divided(value, width, base, order) for value in values]
    assert from_digits(table, base=base, order=order, signed=signed) == values


@given(bases, st.integers(1, 70), orders, st.data())
def test_arrays_of_int64(base: int, width: int, order: str, data: st.DataObject) -> None:
    low = max(-(base**width // 2), -(2**63))
    high = min(base**width - 1, 2**63 - 1)
    values = data.draw(st.lists(st.integers(low, high), min_size=1, max_size=8))
    table = to_digits(np.array(values, np.int64), width, base=base, order=order)
    assert table.T.tolist() == [divided(value, width, base, order) for value in values]


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("width", [1, 2, 5, 61, 62, 63, 64, 65, 200])
def test_what_just_fits_and_what_just_does_not(base: int, width: int) -> None:
    low, high = -(base**width // 2), base**width - 1
    for value in (low, high):
        expected = divided(value, width, base, "least")
        assert to_digits(value, width, base=base).tolist() == expected
        assert to_digits([value, 0], width, base=base)[:, 0].tolist() == expected
    for value in (low - 1, high + 1):
        with pytest.raises(DigitsError, match=f"does not fit {width} digits of base {base}"):
            to_digits(value, width, base=base)
        with pytest.raises(DigitsError, match="does not fit"):
            to_digits([0, value], width, base=base)
        if abs(value) < 2**63:
            with pytest.raises(DigitsError, match="does not fit"):
                to_digits(np.array([0, value], np.int64), width, base=base)


@pytest.mark.parametrize("base", BASES)
def test_ten_thousand_digits(base: int) -> None:
    rng = random.Random(base)
    digits = [rng.randrange(base) for _ in range(9_999)] + [rng.randrange(1, base)]
    value = from_digits(digits, base=base)
    # Two moduli stand for the value: Horner's rule by hand.
    for modulus in (2**61 - 1, 10**9 + 7):
        rest = 0
        for digit in reversed(digits):
            rest = (rest * base + digit) % modulus
        assert value % modulus == rest
    assert to_digits(value, 10_000, base=base).tolist() == digits
    assert count_digits(value, base) == 10_000
    table = to_digits([value, -1, 5], 10_001, base=base)
    assert table[:, 1].tolist() == [base - 1] * 10_001
    assert from_digits(table, base=base, signed=True) == [value, -1, 5]


@given(st.integers(-(10**60), 10**60), bases)
def test_count_is_the_least_width(value: int, base: int) -> None:
    count = count_digits(value, base)
    if value >= 0:
        assert value < base**count
        assert count == 1 or value >= base ** (count - 1)
    else:
        assert -(base**count) <= 2 * value
        assert count == 1 or 2 * value < -(base ** (count - 1))


@given(st.integers(-(10**60), 10**60), bases)
def test_signed_count_is_the_least_width_that_reads_back(value: int, base: int) -> None:
    count = count_digits(value, base, signed=True)
    digits = to_digits(value, count, base=base).tolist()
    assert from_digits(digits, base=base, signed=True) == value
    if count > 1:
        assert not -(base ** (count - 1)) <= 2 * value < base ** (count - 1)


@pytest.mark.parametrize("power", [*range(0, 70), 500, 4299, 4300, 4301])
@pytest.mark.parametrize("base", [2, 3, 10, 16])
def test_count_at_powers(base: int, power: int) -> None:
    assert count_digits(base**power, base) == power + 1
    assert count_digits(base**power - 1, base) == max(1, power)


@given(st.integers(-(10**40), 10**40))
def test_text_round_trip(value: int) -> None:
    assert format_integer(value) == str(value)
    assert parse_integer(str(value)) == value
    assert parse_integer(hex(value)) == value
    assert parse_integer(bin(value)) == value


@given(st.integers(4301, 9000), st.booleans(), st.integers(0, 2**32))
def test_text_beyond_the_limit_of_python(length: int, negative: bool, seed: int) -> None:
    source = random.Random(seed)
    digits = source.choice("123456789") + "".join(source.choices("0123456789", k=length - 1))
    text = "-" + digits if negative else digits
    value = parse_integer(text)
    # A text of any length, read in pieces that Python reads.
    oracle = 0
    for start in range(0, length, 1000):
        piece = digits[start : start + 1000]
        oracle = oracle * 10 ** len(piece) + int(piece)
    assert value == (-oracle if negative else oracle)
    assert format_integer(value) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("-0", 0),
        ("+7", 7),
        ("  12\n", 12),
        ("007", 7),
        ("1_000_000", 10**6),
        ("0x3a", 58),
        ("0X3A", 58),
        ("-0b101", -5),
        ("+0B11", 3),
        ("0xdead_beef", 0xDEADBEEF),
        ("9" * 18, 10**18 - 1),
        ("1" + "0" * 18, 10**18),
    ],
)
def test_spellings(text: str, value: int) -> None:
    assert parse_integer(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "-", "+", "1.5", "1e3", "abc", "0x", "0b2", "0b", "--5", "5-", "1 2", "1__0",
        "_1", "1_", "0xg", "٣", "²", "½", "1\x00", "nan", "inf", "0o17", "x" * 100,
    ],
)  # fmt: skip
def test_no_integers(text: str) -> None:
    with pytest.raises(DigitsError, match="not an integer"):
        parse_integer(text)


def test_a_long_text_is_not_repeated_whole() -> None:
    with pytest.raises(DigitsError) as caught:
        parse_integer("z" * 10_000)
    assert len(str(caught.value)) < 150


@pytest.mark.parametrize("base", [-2, 0, 1, 17])
def test_bases_out_of_range(base: int) -> None:
    with pytest.raises(DigitsError, match="choose one from 2 to 16"):
        to_digits(0, 4, base=base)
    with pytest.raises(DigitsError, match="choose one from 2 to 16"):
        from_digits([0], base=base)


@pytest.mark.parametrize("width", [0, -1])
def test_no_digits_at_all(width: int) -> None:
    with pytest.raises(DigitsError, match="ask for 1 or more"):
        to_digits(0, width)


@pytest.mark.parametrize("digits", [[2], [-1], [0, 1, 7]])
def test_digits_that_are_none(digits: list[int]) -> None:
    with pytest.raises(DigitsError, match=r"must lie in 0\.\.1"):
        from_digits(digits)
    with pytest.raises(DigitsError, match=r"must lie in 0\.\.1"):
        from_digits(np.array(digits)[:, None])


@pytest.mark.parametrize("shape", [(0,), (2, 2, 2), ()])
def test_shapes_that_are_no_numbers(shape: tuple[int, ...]) -> None:
    with pytest.raises(DigitsError, match="shape"):
        from_digits(np.zeros(shape, np.uint8))


def test_values_of_two_axes_are_refused() -> None:
    with pytest.raises(DigitsError, match="one axis"):
        to_digits(np.zeros((2, 2), np.int64), 4)


def test_no_values_at_all() -> None:
    assert to_digits([], 3).shape == (3, 0)
    assert from_digits(np.zeros((3, 0), np.uint8)) == []


def test_errors_are_also_value_errors() -> None:
    with pytest.raises(ValueError, match="fit") as caught:
        to_digits(4, 2)
    assert isinstance(caught.value, SeqarithError)


@pytest.mark.parametrize("values", [[1.5, 2], np.array([0.5])])
def test_what_is_no_integer_is_refused(values: Any) -> None:
    with pytest.raises(DigitsError, match="integers"):
        to_digits(values, 4)


def test_order_and_type_of_digits_are_checked() -> None:
    with pytest.raises(DigitsError, match="expected least or most"):
        to_digits(3, 4, order="middle")  # type: ignore[call-overload]
    with pytest.raises(DigitsError, match="expected integers"):
        from_digits([0.5, 1.0])  # type: ignore[list-item]
