"""The numbers that are written in a function."""

from __future__ import annotations

from seqarith.tasks.constants import MOST, constants

LIMIT = 777


def called(value: int) -> bool:
    return value > LIMIT


def test_numbers_in_the_source_and_around_it() -> None:
    outside = 31337

    def function(a: int, b: int, step: int = 12) -> bool:
        return (a, b) == (200, -100) or a in {5, 9} or called(a + step) or b == outside

    assert set(constants(function, 2)) >= {5, 9, 12, 100, 200, LIMIT, outside}


def test_texts_of_digits_are_numbers_of_the_base() -> None:
    assert 5 in constants(lambda a: "101" in bin(a), 2)
    assert 101 in constants(lambda a: "101" in str(a), 10)


def test_nested_functions_and_builtins() -> None:
    assert 4321 in constants(lambda a: sorted([a, 1], key=lambda b: b == 4321)[0], 2)
    assert constants(max, 2) == []


def test_a_table_gives_no_more_than_some_of_its_numbers() -> None:
    table = tuple(range(10_000))
    assert len(constants(lambda a: table[a], 2)) == MOST


def test_functions_that_call_each_other_end() -> None:
    def even(value: int) -> bool:
        return value == 0 or odd(value - 1)

    def odd(value: int) -> bool:
        return value != 0 and even(value - 1)

    assert constants(even, 2) == [0, 1]
