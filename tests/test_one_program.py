"""Every way to an answer runs one program, and says the digits of the task.

For each task a network is built by hand that equals its machine (`solved`), so every way must say
what the task's reference says, digit by digit. A network of random weights, which errs in many
ways, then has all ways agree on what it says, right or wrong. Own tasks take symbols, letters,
states, delays, bases and signs to their extremes.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

import seqarith as sa
from seqarith.certification.adapter import from_model
from seqarith.digits import to_digits
from seqarith.evaluation.counts import Counts
from seqarith.evaluation.exhaustive import run_exhaustively
from seqarith.evaluation.prefixes import Prefixes
from seqarith.evaluation.shards import run_shards
from seqarith.evaluation.words import every_word, run_words
from seqarith.execution import emit
from seqarith.machine import MealyMachine
from seqarith.prediction import layout_of
from seqarith.registry import TASKS
from seqarith.tasks.custom.from_machine import task_from_machine
from seqarith.tasks.task import Task

REGISTERED = [
    ("add", {}), ("add", {"base": 3}), ("add", {"base": 16}), ("add", {"operands": 4}), ("sub", {}),
    ("sub", {"base": 5}), ("neg", {}), ("neg", {"base": 7}), ("increment", {"base": 10}),
    ("scale", {}), ("scale", {"factor": -3}), ("linear", {}), ("and", {}), ("or", {"base": 4}),
    ("xor", {}), ("not", {"base": 10}), ("compare", {}), ("compare", {"base": 3, "order": "most"}),
    ("max", {}), ("min", {"base": 4}), ("parity", {}), ("gray", {}), ("gray", {"base": 3}),
    ("ungray", {}), ("shift", {}), ("shift", {"places": -3}), ("average", {}), ("divide", {}),
    ("divide", {"base": 10, "divisor": 7}), ("mod", {}), ("mod", {"order": "least"}),
]  # fmt: skip
MEASURED = 1e-9  # margins below are rounding's to decide, and ways may differ


def last_letter(base: int, operands: int) -> Task:
    """Say the last letter: as many symbols as letters, most significant digit first."""
    letters = base**operands
    machine = MealyMachine([[0] * letters], [range(letters)])
    symbols = tuple(f"s{k}" for k in range(letters))
    return task_from_machine(
        machine, "last", operands=operands, base=base, order="most", symbols=symbols
    )


def delayed(base: int, delay: int) -> Task:
    """Say every digit ``delay`` steps late: as many states as there are digits to keep."""
    kept = list(product(range(base), repeat=delay))
    number = {digits: i for i, digits in enumerate(kept)}
    following = [[number[(*digits[1:], d)] for d in range(base)] for digits in kept]
    output = [[digits[0]] * base for digits in kept]
    return task_from_machine(MealyMachine(following, output, base), "same", base=base, delay=delay)


def counting(states: int) -> Task:
    """Add up the bits modulo a number: many states, one letter more at a time."""
    following = [[q, (q + 1) % states] for q in range(states)]
    machine = MealyMachine(following, following)
    return task_from_machine(machine, "count", symbols=tuple(f"n{k}" for k in range(states)))


def signs() -> Task:
    """Take a sign's digit of base 3 that settles late, and only for one sign."""
    machine = MealyMachine([[0, 1, 0], [1, 0, 0]], [[2, 0, 0], [0, 2, 2]])
    return task_from_machine(machine, "late", base=3)


OWN: dict[str, Callable[[], Task]] = {
    "343 symbols": lambda: last_letter(7, 3),
    "9 operands of a bit": lambda: task_from_machine(
        MealyMachine([[0] * 2**9], [[k % 2 for k in range(2**9)]]), "first", operands=9
    ),
    "base 16 with a delay": lambda: delayed(16, 1),
    "delay of 3, base 5": lambda: delayed(5, 3),
    "delay of 7": lambda: delayed(2, 7),
    "300 states and symbols": lambda: counting(300),
    "a sign that settles late": signs,
    "one letter more than a byte": lambda: last_letter(16, 2),
}
CASES = [*((n, o) for n, o in REGISTERED), *((name, None) for name in OWN)]


@pytest.fixture(params=CASES, ids=str, scope="module")
def task(request: pytest.FixtureRequest) -> Task:
    name, options = request.param
    built: Task = OWN[name]() if options is None else TASKS[name](**options)
    return built


def operands_of_both_signs(task: Task, count: int) -> list[tuple[int, ...]]:
    """Draw operands of 1 to 9 digits, and the largest and least of each width."""
    rng = np.random.default_rng(1)
    drawn: list[tuple[int, ...]] = []
    for _ in range(count):
        top = int(task.base ** rng.integers(1, 10))
        low = -top if task.negative else 0
        drawn.append(tuple(rng.integers(low, top, size=task.operands).tolist()))
    for digits in (1, 2, 9):
        drawn.append((task.base**digits - 1,) * task.operands)
        drawn.append((0,) * (task.operands - 1) + (task.base**digits - 1,))
    return drawn


def written(task: Task, value: int, count: int) -> list[int]:
    """Return a result as its symbols, digit by digit."""
    if task.result == "symbol":
        return [value]
    return to_digits(value, count, base=task.base, order=task.order).tolist()


def test_every_way_says_the_digits_of_the_task(
    task: Task, solved: Callable[[Task], sa.Model]
) -> None:
    model = solved(task)
    operands = operands_of_both_signs(task, 60)
    single = [model.predict(*values) for values in operands]
    batch = list(model.predict(*zip(*operands, strict=True)))
    array = model.predict(*np.array(operands, np.int64).T)
    padded = list(model.predict(*zip(*operands, strict=True), digits=11))
    for i, values in enumerate(operands):
        right = task.reference(*values)
        ways = (single[i].predicted, batch[i].predicted, array.predicted[i], padded[i].predicted)
        assert set(ways) == {right}, values
        assert {single[i].expected, batch[i].expected, array.expected[i]} == {right}
        traced = sa.trace(model, *values)
        assert (traced.predicted, traced.expected) == (right, right)
        counted = traced.emitted[traced.first :].tolist()
        assert counted == written(task, right, len(counted)), values
        assert counted == traced.expected_symbols[traced.first :].tolist()
    assert array.wrong() == []


def emitted_by(model: sa.Model, letters: np.ndarray) -> np.ndarray:
    """Run the record that the checker judges, by Python's own order of operations."""
    p, said = from_model(model), []
    memory = np.repeat(p.start[None].astype(float), letters.shape[1], 0)
    for row in letters:
        values = [p.inputs[row].astype(float), memory]
        for operation in p.step:
            values.append(applied(operation, values, p.arrays))
        memory = values[-1]
        logits = memory[:, : p.hidden] @ p.readout_weight.T + p.readout_bias - p.threshold
        said.append(logits[:, 0] > 0 if logits.shape[1] == 1 else logits.argmax(1))
    return np.array(said).astype(int)


def applied(operation: Any, values: list[Any], arrays: Any) -> Any:
    """Do one operation of a record of an Elman cell."""
    kind, first, *rest = operation
    x = values[first]
    if kind == "linear":
        return x @ arrays[rest[0]].T
    if kind == "shift":
        return x + arrays[rest[0]]
    if kind == "add":
        return x + values[rest[0]]
    return np.tanh(x) if kind == "tanh" else 0.5 * np.tanh(0.5 * x) + 0.5


def test_every_way_runs_one_program(task: Task, make_random: Callable[..., sa.Model]) -> None:
    model = make_random(task, 3, "float64", 7)
    bits = next(n for n in range(1, 13) if task.letters ** (n + 1) > 2**12)
    letters = np.concatenate(list(every_word(task, bits)), axis=1)
    first = task.first_result_step(len(letters))
    found = emit(model.program, letters, first, task.expected(letters))
    clear = (
        found.margins > MEASURED if task.result == "symbol" else np.abs(found.margins) > MEASURED
    )
    symbols = found.symbols.astype(int)
    one_by_one = [
        emit(model.program, letters[:, [i]]).symbols[:, 0] for i in range(0, letters.shape[1], 97)
    ]
    np.testing.assert_array_equal(np.array(one_by_one).T, symbols[:, ::97])
    judged = emitted_by(model, letters)
    np.testing.assert_array_equal(judged[:, clear], symbols[:, clear])
    # As a prefix tree, as words from end to end, in parts: the same counts and margins.
    whole, by_words = run_exhaustively(model, bits), Counts(task)
    run_words(model, letters, by_words)
    in_parts, _ = run_shards(model, bits, jobs=1)
    for tally in (by_words, in_parts):
        assert tally.wrong_digits == whole.wrong_digits == int(found.wrong.sum())
        assert tally.wrong_words == whole.wrong_words
        assert tally.first_wrong == whole.first_wrong
        assert tally.least == pytest.approx(whole.least, abs=1e-9)
    # Predictions of the same words, and the count of those that are wrong.
    operands = np.array(task.operands_of(letters))
    answers = model.predict(*operands, digits=bits)
    layout = layout_of(task, bits, False)
    assert layout.steps == len(letters)
    assert answers.predicted == task.decode(found.symbols, layout.signed)
    assert len(answers.wrong()) == whole.wrong_words


def test_processes_run_the_same_program(solved: Callable[[Task], sa.Model]) -> None:
    model = solved(last_letter(7, 3))
    tally, _ = run_shards(model, 1, jobs=2)
    assert (tally.words, tally.wrong_words) == (343, 0)


def test_a_tree_of_prefixes_judges_every_symbol(solved: Callable[[Task], sa.Model]) -> None:
    task = last_letter(7, 3)
    model = solved(task)
    tree = Prefixes(task, model.program, 1)
    assert sum(len(block) for block in tree.words()) == 343
    assert tree.least > 1


def test_the_largest_symbol_is_said(solved: Callable[[Task], sa.Model]) -> None:
    model = solved(last_letter(7, 3))
    assert str(model.predict(6, 6, 6)) == "last(6, 6, 6) : s342"
    assert model.predict(*np.full((3, 2), 6)).predicted == [342, 342]
    assert sa.evaluate(model, 1).exact


def test_a_program_that_overflows_is_run_without_a_word(
    make_random: Callable[..., sa.Model],
) -> None:
    model = make_random(TASKS["add"](base=3), 0, "float32", 5)
    arrays = {
        name: a * np.float32(3e37) for name, a in model.network.export(model.parameters).items()
    }
    huge = sa.Model(model.task, model.network, model.network.absorb(arrays))
    ways = [huge.predict(7, 8).predicted, sa.trace(huge, 7, 8).predicted]
    ways += huge.predict(*np.array([[7], [8]])).predicted
    assert len(set(ways)) == 1
    found = sa.evaluate(huge, 2)
    assert found.checked == 81
    by_words = Counts(huge.task)
    for words in every_word(huge.task, 2):
        run_words(huge, words, by_words)
    assert by_words.wrong_words == found.checked - found.correct
