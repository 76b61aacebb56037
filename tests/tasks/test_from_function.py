"""Your own task: machines from functions, and functions that have none."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from itertools import count, product
from pathlib import Path
from typing import Any

import pytest

import seqarith as sa
from seqarith.errors import TaskError, UnboundedWarning
from seqarith.registry import TASKS
from seqarith.tasks.custom import function_oracle, lstar
from seqarith.tasks.task import Task

LITTLE = 20_000
"""Words that are asked where a test is not about how many words there are by default."""


def ungray(value: int) -> int:
    shift = 1
    while value >> shift:
        value ^= value >> shift
        shift *= 2
    return value


# Functions whose task is in the registry: the machine that is found must be the one written there.
SAME: list[tuple[str, dict[str, Any], Callable[..., object]]] = [
    ("add", {}, lambda a, b: a + b),
    ("add", {"base": 10}, lambda a, b: a + b),
    ("add", {"operands": 3}, lambda a, b, c: a + b + c),
    ("sub", {}, lambda a, b: a - b),
    ("sub", {"base": 16}, lambda a, b: a - b),
    ("neg", {"base": 3}, lambda a: -a),
    ("increment", {}, lambda a: a + 1),
    ("scale", {"factor": 10}, lambda a: 10 * a),
    ("scale", {"factor": -7, "base": 10}, lambda a: -7 * a),
    ("linear", {"c1": 2, "c2": -3, "c0": 5}, lambda a, b: 2 * a - 3 * b + 5),
    ("and", {}, lambda a, b: a & b),
    ("xor", {"base": 8}, lambda a, b: a ^ b),
    ("not", {}, lambda a: ~a),
    ("shift", {"places": 6}, lambda a: a << 6),
    ("compare", {}, lambda a, b: "<" if a < b else "=" if a == b else ">"),
    ("compare", {"order": "most", "base": 10}, lambda a, b: (a > b) - (a < b) + 1),
    ("max", {}, max),
    ("min", {"base": 5, "operands": 3}, min),
    ("parity", {}, lambda a: a.bit_count() % 2 == 1),
    ("ungray", {}, ungray),
    ("divide", {"divisor": 7}, lambda a: a // 7),
    ("divide", {"divisor": 10, "base": 10}, lambda a: a // 10),
    ("mod", {"divisor": 7}, lambda a: a % 7),
    ("mod", {"divisor": 12, "order": "least"}, lambda a: a % 12),
    ("mod", {"divisor": 6, "base": 10}, lambda a: a % 6),
]


@pytest.fixture(params=SAME, ids=lambda case: f"{case[0]}-{case[1]}", scope="module")
def pair(request: pytest.FixtureRequest) -> tuple[Task, Task]:
    """Return the task of the registry, and the one that is found from its function."""
    name, options, function = request.param
    like = TASKS[name](**options)
    task = sa.Task.from_function(
        function,
        operands=like.operands,
        base=like.base,
        order=like.order,
        symbols=like.symbols,
        name="own",
        ask=LITTLE * (1 + (like.letters > 100)),  # every state is asked for every letter
    )
    return like, task


def test_finds_the_machine_of_the_registry(pair: tuple[Task, Task]) -> None:
    like, task = pair
    assert task.machine.states == like.machine.states
    assert task.machine.difference(like.machine) is None
    assert task.negative == like.negative
    assert task.own


def test_there_is_room_for_the_result(pair: tuple[Task, Task]) -> None:
    """Words that are laid out by the machine alone hold the very result."""
    _, task = pair
    source = random.Random(2)
    for width in (1, 2, 3, 50):
        for signed in {False, task.negative}:
            high = task.base**width // 2 if signed else task.base**width - 1
            low = -(task.base**width) // 2 if signed else 0
            drawn = [[source.randint(low, high) for _ in range(task.operands)] for _ in range(9)]
            tuples = [*drawn, *product((low, high), repeat=task.operands)]
            layout = task.layout([(low, high)] * task.operands)
            letters = task.encode(list(zip(*tuples, strict=True)), layout.steps)
            results = task.decode(task.expected(letters), layout.signed)
            wanted = [task.reference(*operands) for operands in tuples]
            assert results == wanted


def test_delayed_digits() -> None:
    gray = sa.Task.from_function(lambda a: a ^ a >> 1, name="g", delay=1, ask=LITTLE)
    for value in [*range(70), 3**200, -(3**200), -1, -2]:
        layout = gray.layout([(value, value)])
        letters = gray.encode([[value]], layout.steps)
        assert gray.decode(gray.expected(letters), layout.signed) == [value ^ value >> 1]


def test_name_and_notation() -> None:
    def collatz(odd: int, step: int = 1) -> int:
        return 3 * odd + step

    task = sa.Task.from_function(collatz, ask=LITTLE)
    assert (task.name, task.formula, task.operands) == ("collatz", "collatz(a)", 1)
    assert sa.Task.from_function(collatz, notation="C of {}", ask=LITTLE).formula == "C of a"
    assert sa.Task.from_function(lambda a: a, ask=LITTLE).name == "task"


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        (lambda a, b: a * b, {}, r"p is not finite-state, .* 1, 4, 16, 64, \d+ residuals have"),
        (lambda a: a * a, {}, "p is not finite-state, .* 1, 2, 4, 8, 16, 32, "),
        (lambda a: a * a, {"base": 10}, "1, 10, 100, .* residuals"),
        (lambda a: bin(a)[2:] == bin(a)[:1:-1], {"symbols": ("n", "y")}, "is not finite-state"),
        (
            lambda a: a // 3,
            {},
            r"p\(\d+\), .* that come later. Read it most significant digit first",
        ),
        (lambda a: a ^ a >> 1, {}, r"digit 0 of p.* first with delay=1$"),
        (lambda a: a % 7, {}, "there are few results: give symbols"),
        (lambda a: int(a**0.5), {"order": "most"}, "Neither the other order nor a short delay"),
        (lambda a, b: abs(a - b), {}, "Neither the other order nor a short delay"),
        (lambda a, b: abs(a - b), {"order": "most"}, "Neither the other order nor a short delay"),
        (
            lambda a, b: 0 if (a, b) == (200, 100) else a + b,
            {},
            "200, 100.* up to 7 digits every digit comes in time",
        ),
        (lambda a: a + 1, {"order": "most"}, r"p\(1\) is 2, .* Read it least significant digit"),
        (math.gcd, {}, "how many operands it takes cannot be seen from its signature"),
        (lambda a: random.randrange(99), {}, "when asked again: the function must always return"),
        (lambda a: a, {"ask": 0}, "ask 0: expected an integer from 1"),
        (lambda a: -a, {"order": "most"}, r"p\(1\) is -1, which has no room"),
        (lambda a: 1 / a, {}, r"p\(0\) fails with ZeroDivisionError: division by zero"),
        (lambda a: a / 2, {}, r"p\(0\) is '0.0'; expected an integer"),
        (lambda a: None, {}, r"p\(0\) is 'None'; expected an integer"),
        (lambda a: "z", {"symbols": ("x", "y")}, "expected x, y or its number"),
        (lambda a: a, {"symbols": ("x", "y")}, r"p\(2\) is 2; expected x, y or its number"),
        (lambda a: a, {"base": 17}, "base 17"),
        (lambda a: a, {"operands": 0}, "operands 0: expected an integer from 1"),
        (lambda a: a, {"operands": 3}, r"p\(0, 0, 0\) fails with TypeError"),
        (3, {}, "3: expected a function on integers"),
        (lambda *a: sum(a), {}, "how many operands it takes cannot be seen"),
        (lambda *a: sum(a), {"operands": 4, "base": 10}, "10000 letters; a custom task"),
        (lambda a: a, {"order": "first"}, "order 'first': expected least or most"),
        (lambda a: a, {"delay": -1}, "delay -1"),
        (
            lambda a: a,
            {"delay": 1, "order": "most", "ask": LITTLE},
            "delay 1: only digits least significant",
        ),
        (lambda a: a, {"name": "a b", "ask": LITTLE}, "name 'a b': expected 1 to 64 letters"),
        (lambda a: a, {"notation": "{} and {}", "ask": LITTLE}, "does not show 1 operands"),
    ],
)
def test_functions_that_are_refused(
    function: Callable[..., object], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(TaskError, match=message) as caught:
        sa.Task.from_function(function, **{"name": "p", **options})
    assert "\n" not in str(caught.value)


def test_builtins_have_to_be_told_their_operands() -> None:
    with pytest.raises(TaskError, match="max: how many operands it takes cannot be seen"):
        sa.Task.from_function(max)


def test_negative_operands_only_where_the_function_means_them() -> None:
    assert sa.Task.from_function(lambda a: 3 * a, ask=LITTLE).negative
    assert not sa.Task.from_function(lambda a: 3 * abs(a), ask=LITTLE).negative

    def naturals(a: int) -> int:
        if a < 0:
            raise ValueError("naturals only")
        return a + 1

    assert not sa.Task.from_function(naturals, ask=LITTLE).negative


def test_a_loop_that_never_ends_on_negative_operands() -> None:
    def copied(value: int) -> int:
        result = place = 0
        while value:  # -1 // 2 is -1
            result += (1 - value % 2) << place
            value, place = value // 2, place + 1
        return (1 << place) - 1 - result

    task = sa.Task.from_function(copied, ask=LITTLE)
    assert not task.negative
    assert task.reference(37) == 37


def test_a_rare_letter_far_from_the_start() -> None:
    """Whether eleven ones ever followed each other: words that a short look does not reach."""
    ones = "1" * 11
    task = sa.Task.from_function(lambda a: ones in bin(a), symbols=("no", "yes"))
    assert task.machine.states == 12
    assert task.reference(2**11 - 1) == 1


def test_building_machines_takes_no_time_from_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock that ticks once a look, the calls that build the first machine take long."""
    ticks = count()
    monkeypatch.setattr(function_oracle.time, "perf_counter", lambda: float(next(ticks)))
    monkeypatch.setattr(lstar, "SECONDS", 20.0)
    with pytest.warns(sa.errors.CutShortWarning):
        task = sa.Task.from_function(lambda a: a.bit_count() % 12 == 11, symbols=("no", "yes"))
    assert task.machine.states == 12


def test_counting_is_warned_of() -> None:
    """Runs of equal length: a machine that counts to 64 agrees on all words that are asked."""

    def equal_runs(value: int) -> bool:
        ones = value.bit_count()
        return value == (1 << 2 * ones) - (1 << ones)

    with pytest.warns(UnboundedWarning, match="8, 15 and 17 letters tell 8, 14 and 16 states"):
        sa.Task.from_function(equal_runs, symbols=("no", "yes"), order="most")


def test_a_function_is_asked_no_more_than_is_allowed() -> None:
    calls: list[int] = []

    def twice(value: int) -> int:
        calls.append(value)
        return 2 * value

    told: list[tuple[int, int]] = []
    task = sa.Task.from_function(twice, ask=3000, progress=lambda *seen: told.append(seen))
    assert task.asked is not None
    assert 2000 < task.asked.words <= 3000
    again = len(calls) - task.asked.words  # a sample is asked twice
    assert 0 < again < 200
    assert told == sorted(told)
    assert all(done <= total for done, total in told)


def test_too_few_words_to_find_a_machine() -> None:
    with pytest.raises(TaskError, match=r"machine is not found after asking .* --ask N"):
        sa.Task.from_function(lambda a: a % 97 == 5, symbols=("no", "yes"), ask=50)


def test_what_was_asked_is_part_of_the_task() -> None:
    first, second = (sa.Task.from_function(lambda a: 3 * a, name="f", ask=n) for n in (500, 900))
    assert first.asked is not None
    assert second.asked is not None
    assert first.asked.words < second.asked.words
    assert first.function is not None
    assert first.function(7) == 21


def test_any_name_of_a_function_can_be_saved(
    solved: Callable[[Task], sa.Model], tmp_path: Path
) -> None:
    def plus(a: int, b: int) -> int:
        return a + b

    plus.__qualname__ = "plus"
    for name, module in (("a-b", "__main__"), ("plus", ".".join(["package"] * 60))):
        plus.__module__ = module
        task = sa.Task.from_function(plus, name=name, ask=2000)
        assert task.asked is not None
        model = solved(task)
        model.save(tmp_path / "m.npz")
        assert sa.Model.load(tmp_path / "m.npz").task.asked == task.asked


@pytest.mark.parametrize(
    ("function", "options"),
    [
        (lambda a: 3**200 % a == 0 if a else False, {"order": "most"}),
        (lambda a: math.factorial(99) % a == 0 if a else False, {"order": "most", "base": 10}),
    ],
)
def test_what_no_machine_computes_is_refused_or_warned_of(
    function: Callable[..., object], options: dict[str, Any]
) -> None:
    """Rare numbers of which there are ever more: few words meet those that are long."""
    with pytest.raises((TaskError, UnboundedWarning), match=r"not finite-state|looks unbounded"):
        sa.Task.from_function(function, name="f", symbols=("no", "yes"), **options)


@pytest.mark.parametrize("operands", [(200, 100), (54_321, 12_345), (1, 10**20)])
def test_an_exception_at_operands_that_are_written_in_the_function(
    operands: tuple[int, int],
) -> None:
    task = sa.Task.from_function(lambda a, b: (a, b) == operands, symbols=("no", "yes"), ask=LITTLE)
    layout = task.layout([(value, value) for value in operands])
    letters = task.encode([[value] for value in operands], layout.steps)
    assert task.decode(task.expected(letters), layout.signed) == [1]


# ------------------------------------------------------------- machines


def test_from_a_machine() -> None:
    machine = sa.MealyMachine([[1, 2], [0, 1], [0, 1]], [[0, 1], [0, 1], [0, 1]], 2)
    task = sa.Task.from_machine(machine, "copy")
    assert task.machine.states == 1
    assert [task.reference(value) for value in (0, 5, -5, 2**300)] == [0, 5, -5, 2**300]


@pytest.mark.parametrize(
    ("machine", "options", "message"),
    [
        (([[1, 1], [0, 0]], [[0, 1], [1, 0]]), {}, "digits never end"),
        (([[0, 1], [0, 1]], [[0, 1], [0, 1]]), {"symbols": ("x", "y")}, "repeat the symbol"),
        (([[1, 1], [1, 1]], [[1, 1], [0, 1]]), {"order": "most"}, "Its initial state must stay"),
        (([[0, 0, 0]], [[0, 1, 2]]), {}, "the machine reads 3 letters"),
        (([[0, 0]], [[0, 2]]), {}, "the machine emits 3 symbols; the result has 2"),
        (([[0, 0]], [[0, 1]]), {"operands": 0}, "operands 0: expected an integer from 1 to 16"),
        (([[0, 0]], [[0, 1]]), {"operands": 2}, "the machine reads 2 letters"),
        (([[0, 0]], [[0, 1]]), {"symbols": ("x",)}, "1 symbols"),
        (([[0, 0]], [[0, 0]]), {"symbols": ("x", "x")}, "no two alike"),
        (([[0, 0]], [[0, 0]]), {"notation": "{0.x}"}, "does not show 1 operands"),
        (([[0, 0]], [[0, 0]]), {"notation": "\x1b[2J{}"}, "printable characters"),
    ],
)  # fmt: skip
def test_machines_that_compute_no_integers(
    machine: Any, options: dict[str, Any], message: str
) -> None:
    built = sa.MealyMachine(*machine)
    with pytest.raises(TaskError, match=message):
        sa.Task.from_machine(built, "m", **options)


def test_it_is_told_that_a_slow_function_was_asked_less(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function_oracle.time, "perf_counter", iter(range(10**6)).__next__)
    with pytest.warns(sa.errors.CutShortWarning, match="slow is slow: comparing it"):
        task = sa.Task.from_function(lambda a: 3 * a, name="slow")
    assert task.machine.states == 3


def test_no_clock_is_read_where_it_is_said_how_much_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    for pace in (1, 10**6):
        ticks = iter(range(0, 10**9 * pace, pace))
        monkeypatch.setattr(function_oracle.time, "perf_counter", ticks.__next__)
        asked.append(sa.Task.from_function(lambda a: 3 * a, name="f", ask=5000).asked)
    assert asked[0] == asked[1]


@pytest.mark.parametrize("raised", [SystemExit(0), StopIteration(), RecursionError("deep")])
def test_whatever_a_function_raises_is_told(raised: BaseException) -> None:
    def stops(a: int) -> int:
        if a == 77:
            raise raised
        return a

    with pytest.raises(TaskError, match=rf"stops\(77\) fails with {type(raised).__name__}"):
        sa.Task.from_function(stops, ask=LITTLE)
