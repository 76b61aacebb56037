"""The numbers that are written in a function."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import lru_cache, partial

from seqarith.tasks.custom.constants import MOST, find_constants

LIMIT = 777


def called(value: int) -> bool:
    return value > LIMIT


def test_numbers_in_the_source_and_around_it() -> None:
    outside = 31337

    def function(a: int, b: int, step: int = 12) -> bool:
        return (a, b) == (200, -100) or a in {5, 9} or called(a + step) or b == outside

    assert set(find_constants(function, 2)) >= {5, 9, 12, 100, 200, LIMIT, outside}


def test_texts_of_digits_are_numbers_of_the_base() -> None:
    assert 5 in find_constants(lambda a: "101" in bin(a), 2)
    assert 101 in find_constants(lambda a: "101" in str(a), 10)


def test_nested_functions_and_builtins() -> None:
    assert 4321 in find_constants(lambda a: sorted([a, 1], key=lambda b: b == 4321)[0], 2)
    assert find_constants(max, 2) == []


def test_a_table_gives_no_more_than_some_of_its_numbers() -> None:
    table = tuple(range(10_000))
    assert len(find_constants(lambda a: table[a], 2)) == MOST


def test_functions_that_call_each_other_end() -> None:
    def even(value: int) -> bool:
        return value == 0 or odd(value - 1)

    def odd(value: int) -> bool:
        return value != 0 and even(value - 1)

    assert find_constants(even, 2) == [0, 1]


def test_functions_behind_others_are_read() -> None:
    def plain(a: int, more: int = 0) -> int:
        return 0 if a == 10**30 + 7 else a + more

    class Holder:
        def method(self, a: int) -> int:
            return plain(a)

        def __call__(self, a: int) -> int:
            return 0 if a == 10**30 + 7 else a

    for function in (
        plain, lru_cache(plain), partial(plain, more=0), Holder().method, Holder(),
        lru_cache(partial(plain, more=3)),
    ):  # fmt: skip
        assert 10**30 + 7 in find_constants(function, 2)


def test_a_list_that_holds_itself_ends() -> None:
    held: list[object] = [77]
    held.append(held)
    assert 77 in find_constants(lambda a: a in held, 2)


def test_sets_are_read_in_one_order() -> None:
    program = (
        "from seqarith.tasks.custom.constants import find_constants\n"
        "names = {str(k) for k in range(100, 300)}\n"
        "print(find_constants(lambda a: str(a) in names, 10))"
    )
    said = set()
    for seed in ("1", "2", "3"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        run = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, check=True
        )
        said.add(run.stdout)
    assert len(said) == 1
