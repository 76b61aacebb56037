"""The contract of every registered task, in every variety of its parameters.

The oracle is the task's reference, and its digits by Python's own division. What the reference is,
is said once more below, for the default parameters.
"""

from __future__ import annotations

import inspect
import random
import subprocess
import sys
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

import seqarith as sa
from seqarith.errors import InvalidValueError, TaskError
from seqarith.registry import TASKS
from seqarith.tasks.description import build_task, describe_task
from seqarith.tasks.sampling import Sampler
from seqarith.tasks.task import Task

BASES = range(2, 17)
VARIETIES: dict[str, list[dict[str, Any]]] = {
    "add": [{"base": b} for b in BASES] + [{"operands": k} for k in (3, 4, 5)]
    + [{"base": b, "operands": 3} for b in (3, 10)],
    "sub": [{"base": b} for b in BASES] + [{"operands": k} for k in (3, 5)]
    + [{"base": 3, "operands": 3}],
    "neg": [{"base": b} for b in BASES],
    "increment": [{"base": b} for b in BASES],
    "scale": [{"base": b} for b in BASES]
    + [{"factor": f} for f in (-64, -3, -1, 0, 1, 2, 5, 7, 10, 64)]
    + [{"base": 10, "factor": f} for f in (-2, 7)],
    "linear": [{"base": b} for b in BASES]
    + [{"c1": a, "c2": b, "c0": c} for a, b, c in [(3, -5, 999), (0, 0, 0), (1, 1, 1), (-7, 2, 9)]],
    "and": [{"base": b} for b in (2, 4, 8, 16)] + [{"operands": 3}],
    "or": [{"base": b} for b in (2, 4, 8, 16)] + [{"operands": 3}],
    "xor": [{"base": b} for b in (2, 4, 8, 16)] + [{"operands": 3}],
    "not": [{"base": b} for b in BASES],
    "compare": [{"base": b, "order": o} for b in BASES for o in ("least", "most")],
    "max": [{"base": b} for b in BASES] + [{"operands": k} for k in (3, 4, 5)],
    "min": [{"base": b} for b in BASES] + [{"operands": 3}, {"base": 5, "operands": 3}],
    "parity": [{"base": b} for b in BASES],
    "gray": [{"base": b} for b in BASES],
    "ungray": [{"base": b} for b in BASES],
    "shift": [{"base": b} for b in BASES]
    + [{"places": p} for p in (-5, -1, 0, 2, 6)] + [{"base": 10, "places": -2}],
    "average": [{"base": b} for b in range(2, 17, 2)],
    "divide": [{"base": b} for b in BASES] + [{"divisor": d} for d in (2, 7, 10, 64)],
    "mod": [{"base": b, "order": o} for b in BASES for o in ("least", "most")]
    + [{"divisor": d, "order": o} for d in (2, 4, 6, 7, 10, 61, 64) for o in ("least", "most")],
    "mul": [{"base": b} for b in (2, 3, 10)],
    "square": [{"base": b} for b in (2, 3, 10)],
}  # fmt: skip
CASES = [(name, options) for name, each in VARIETIES.items() for options in each]
FINITE = [(name, options) for name, options in CASES if name not in ("mul", "square")]
MEANT: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "neg": lambda a: 0 - a,
    "increment": lambda a: 1 + a,
    "scale": lambda a: a + a + a,
    "linear": lambda a, b: a - b + a + 1,
    "and": lambda a, b: int("".join(str(int(x + y == "11")) for x, y in bits(a, b)), 2),
    "or": lambda a, b: int("".join(str(int(x + y != "00")) for x, y in bits(a, b)), 2),
    "xor": lambda a, b: int("".join(str(int(x != y)) for x, y in bits(a, b)), 2),
    "not": lambda a: -1 - a,
    "compare": lambda a, b: "<" if a < b else ">" if b < a else "=",
    "max": lambda a, b: a if a > b else b,
    "min": lambda a, b: b if a > b else a,
    "parity": lambda a: "odd" if bin(a).count("1") % 2 else "even",
    "gray": lambda a: a ^ a // 2,
    "ungray": lambda a: next(n for n in range(2 * a + 1) if n ^ n // 2 == a),
    "shift": lambda a: 2 * a,
    "average": lambda a, b: (a + b - (a + b) % 2) // 2,
    "divide": lambda a: sum(1 for n in range(1, a + 1) if n % 3 == 0),
    "mod": lambda a: str(a - a // 3 * 3),
    "mul": lambda a, b: sum([a] * b),
    "square": lambda a: sum([a] * a),
}


def bits(a: int, b: int) -> Any:
    return zip(f"{a:09b}", f"{b:09b}", strict=True)


def label(case: tuple[str, dict[str, Any]]) -> str:
    return "-".join([case[0], *(f"{key}{value}" for key, value in case[1].items())])


@pytest.fixture(params=CASES, ids=label)
def task(request: pytest.FixtureRequest) -> Task:
    built: Task = TASKS[request.param[0]](**request.param[1])
    return built


@pytest.fixture(params=FINITE, ids=label)
def finite(request: pytest.FixtureRequest) -> Task:
    built: Task = TASKS[request.param[0]](**request.param[1])
    return built


def read(task: Task, word: tuple[int, ...], signed: bool = False) -> list[int]:
    """Return the integers that a word holds, by Horner's rule."""
    values = []
    for operand in range(task.operands):
        digits = [letter // task.base**operand % task.base for letter in word]
        value = 0
        for digit in digits if task.order == "most" else digits[::-1]:
            value = value * task.base + digit
        top = task.base ** len(word)
        values.append(value - top if signed and 2 * value >= top else value)
    return values


def due(task: Task, word: tuple[int, ...], signed: bool = False) -> list[int | None]:
    """Return what has to be said with every letter of a word; None where that does not matter."""
    result = task.reference(*read(task, word, signed))
    if task.result == "symbol":
        return [None] * (len(word) - 1) + [result]
    count = len(word) - task.delay
    digits = [result // task.base**place % task.base for place in range(count)]
    if task.order == "most":
        assert result < task.base**count
        digits.reverse()
    return [*[None] * min(task.delay, len(word)), *digits]


def agrees(said: list[int], wanted: list[int | None]) -> bool:
    return all(w is None or s == w for s, w in zip(said, wanted, strict=True))


def short_words(task: Task, most: int = 2500) -> list[tuple[int, ...]]:
    length = 1
    while length < 10 and task.letters ** (length + 1) <= most:
        length += 1
    words = [w for n in range(1, length + 1) for w in product(range(task.letters), repeat=n)]
    return words if len(words) <= 2 * most else random.Random(0).sample(words, most)


def long_words(task: Task, length: int, count: int) -> list[tuple[int, ...]]:
    source = random.Random(1)
    words = [tuple(source.choices(range(task.letters), k=length)) for _ in range(count)]
    for _ in range(count):
        few = source.choices(range(task.letters), k=2)
        words.append(tuple(few[source.random() < 0.03] for _ in range(length)))
    return words


def test_every_task_is_here() -> None:
    assert set(VARIETIES) == set(TASKS) == set(MEANT)
    for name, each in VARIETIES.items():
        known = set(inspect.signature(TASKS[name]).parameters)
        assert {key for options in each for key in options} == known, name


@pytest.mark.parametrize("name", list(MEANT))
def test_reference_is_what_its_name_says(name: str) -> None:
    task = TASKS[name]()
    for operands in product(range(24), repeat=task.operands):
        value = task.reference(*operands)
        said = task.symbols[value] if task.result == "symbol" else value
        assert said == MEANT[name](*operands)


def test_machine_is_the_reference_on_every_short_word(finite: Task) -> None:
    assert finite.machine is not None
    for word in short_words(finite):
        assert agrees(finite.machine.run(word).tolist(), due(finite, word)), word


def test_machine_is_the_reference_on_long_words(finite: Task) -> None:
    assert finite.machine is not None
    for word in long_words(finite, 150, 8):
        assert agrees(finite.machine.run(word).tolist(), due(finite, word))


def test_machine_reads_negative_operands(finite: Task) -> None:
    assert finite.machine is not None
    words = [*short_words(finite, 300), *long_words(finite, 90, 5)]
    negative = [word for word in words if min(read(finite, word, signed=True)) < 0]
    assert negative
    if finite.negative:
        for word in negative:
            assert agrees(finite.machine.run(word).tolist(), due(finite, word, signed=True))
    else:
        with pytest.raises(TaskError, match="takes naturals only, not -3"):
            finite.check_operands([-3, *[1] * (finite.operands - 1)])


def test_machine_is_minimal_with_a_name_for_every_state(finite: Task) -> None:
    assert finite.machine is not None
    assert finite.machine.minimised().states == finite.machine.states
    assert len(set(finite.machine.names)) == finite.machine.states
    assert all(name.isprintable() for name in finite.machine.names)


def test_words_of_integers_come_back(task: Task) -> None:
    """Encoding, the right outputs, decoding: the reference, for every sign that it takes."""
    source = random.Random(3)
    for width in (1, 2, 7, 120) if task.machine else (1, 3):
        low = -(task.base**width) // 2 if task.negative else 0
        high = task.base**width // 2 if task.negative else task.base**width - 1
        tuples = [[source.randint(low, high) for _ in range(task.operands)] for _ in range(5)]
        tuples += [[end] * task.operands for end in (low, 0, high)]
        layout = task.layout([(low, high)] * task.operands)
        letters = task.encode(list(zip(*tuples, strict=True)), layout.steps)
        results = task.decode(task.expected(letters), layout.signed)
        assert results == [task.reference(*operands) for operands in tuples]


def test_bounds_hold_every_result(task: Task) -> None:
    source = random.Random(4)
    for _ in range(60):
        size = task.base ** source.randint(1, 9)
        ranges = []
        for _ in range(task.operands):
            ends = (source.randint(-size if task.negative else 0, size) for _ in range(2))
            low, high = sorted(ends)
            ranges.append((low, high))
        least, greatest = task.bounds(*ranges)
        corners = list(product(*ranges))
        inner = [tuple(source.randint(*ends) for ends in ranges) for _ in range(9)]
        assert all(least <= task.reference(*values) <= greatest for values in [*corners, *inner])


def test_sampler_reaches_every_letter_and_state(finite: Task) -> None:
    machine, bits = finite.machine, 8
    assert machine is not None
    sampler = Sampler(finite, bits)
    letters = sampler.draw(np.random.default_rng(0), 12_000)
    drawn = letters[sampler.places]
    assert set(np.unique(drawn)) == set(range(finite.letters))
    # What can be reached by words of the sampled width, seen from the machine alone.
    reached = possible = {0}
    for _ in range(bits):
        possible = {int(q) for state in possible for q in machine.next_state[state]}
        reached = reached | possible
    trace = machine.trace(drawn)
    if machine.states <= 64:
        assert set(np.unique(trace)) == reached
    values = np.array(finite.operands_of(letters))
    if finite.letters <= 256:
        assert (values == finite.base**bits - 1).all(axis=0).any()


def test_description_builds_the_same_task(task: Task) -> None:
    again = build_task(describe_task(task))
    assert describe_task(again) == describe_task(task)
    assert (again.formula, again.order, again.delay) == (task.formula, task.order, task.delay)
    if task.machine is not None:
        assert again.machine is not None
        assert task.machine.difference(again.machine) is None


def test_every_task_says_why(task: Task) -> None:
    text = inspect.getdoc(TASKS[task.name])
    assert text is not None
    assert "inite-state" in text
    assert ("Not finite-state" in text) == (task.machine is None)
    assert "Example:" in text
    for parameter in inspect.signature(TASKS[task.name]).parameters:
        assert f"    {parameter}: " in text


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("scale", {"factor": 65}, "factor 65: expected an integer from -64 to 64"),
        ("scale", {"factor": "3"}, "factor '3': expected an integer"),
        ("scale", {"factor": True}, "factor True: expected an integer"),
        ("linear", {"c0": 10**7}, "c0 10000000: expected an integer"),
        ("linear", {"c1": -65}, "c1 -65"),
        ("linear", {"c2": 65}, "c2 65"),
        ("divide", {"divisor": 1}, "divisor 1: expected an integer from 2 to 64"),
        ("divide", {"divisor": 0}, "divisor 0"),
        ("mod", {"divisor": 65}, "divisor 65"),
        ("mod", {"order": "left"}, "order 'left': expected least or most"),
        ("compare", {"order": 1}, "order 1: expected least or most"),
        ("shift", {"places": 17}, "places 17: expected an integer from -16 to 16"),
        ("shift", {"base": 10, "places": 4}, "places 4 in base 10 take 10000 states; at most 4096"),
        ("average", {"base": 3}, "base 3 is odd"),
        ("and", {"base": 10}, "base 10: its digits are not groups of bits"),
        ("or", {"operands": 1}, "operands 1: expected an integer from 2 to 16"),
        ("max", {"operands": 6}, "operands 6: expected an integer from 2 to 5"),
        *[(name, {"base": 17}, "base 17: expected an integer from 2 to 16") for name in MEANT],
    ],
)
def test_parameters_out_of_range(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(TaskError, match=message):
        TASKS.build(name, options)


def test_operands_that_a_task_does_not_have() -> None:
    with pytest.raises(TaskError, match="3 operands: task 'not', ~a, always has 1"):
        sa.TrainingConfig(task="not", operands=3)
    with pytest.raises(InvalidValueError, match="has no option 'factr'; it has base, factor"):
        sa.TrainingConfig(task="scale", parameters={"factr": 3})


def test_a_task_has_its_own_number_of_operands() -> None:
    assert sa.TrainingConfig(task="not").operands == 1
    assert sa.TrainingConfig(task="add").operands == 2
    assert sa.TrainingConfig(task="add", operands=3).describe()["operands"] == 3


@pytest.mark.parametrize("name", ["mul", "square"])
def test_products_are_refused_a_proof(name: str, make_random: Callable[..., sa.Model]) -> None:
    model = make_random(TASKS[name](), seed=0)
    with pytest.raises(TaskError, match=r"no finite-state machine computes a.*every width"):
        sa.certify(model, 1)
    assert sa.evaluate(model, 3).mode == "exhaustive"


def test_models_of_symbols_and_naturals(make_random: Callable[..., sa.Model]) -> None:
    model = make_random(TASKS["compare"](), seed=0)
    assert str(model.predict(37, 58)).startswith("37 ? 58 : ")
    with pytest.raises(TaskError, match=r"a \? b takes naturals only, not -58"):
        model.predict(37, -58)
    with pytest.raises(TaskError, match=r"a \? b takes 2 operands, not 3"):
        model.predict(1, 2, 3)


def test_listing_them_needs_no_other_process() -> None:
    """The names alone are listed without NumPy."""
    code = (
        "import sys; from seqarith.registry import TASKS; list(TASKS); "
        "print('numpy' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "False\n"
