"""Words against numbers: for sums in several bases, and for tasks of every other kind.

Other kinds are tasks without a machine, most significant digit first, delayed, and with a symbol as
the result. `tests/tasks/test_contract.py` tests every registered task against its reference.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import seqarith as sa
from seqarith.digits import DigitsError
from seqarith.errors import TaskError
from seqarith.machine import MealyMachine
from seqarith.registry import TASKS
from seqarith.tasks.task import MAX_BITS, Task

SUMS = ("add", "sub")
SIZES = [(2, 2), (2, 3), (2, 5), (3, 2), (3, 3), (10, 2), (16, 2)]
OTHERS: dict[str, Task] = {
    "product": TASKS["mul"](),
    "product_most": replace(TASKS["mul"](), order="most"),
    "product_decimal": replace(TASKS["mul"](base=10), order="most"),
    "average": TASKS["average"](),
    "comparison": TASKS["compare"](),
    "comparison_most": TASKS["compare"](order="most"),
    "comparison_without_machine": replace(TASKS["compare"](), machine=None),
}
REGISTERED = [(name, base, operands) for name in SUMS for base, operands in SIZES]


@pytest.fixture(params=REGISTERED, ids=lambda case: "-".join(map(str, case)))
def task(request: pytest.FixtureRequest) -> Task:
    name, base, operands = request.param
    built: Task = TASKS[name](base=base, operands=operands)
    return built


@pytest.fixture(params=OTHERS)
def other(request: pytest.FixtureRequest) -> Task:
    return OTHERS[request.param]


def read(task: Task, word: tuple[int, ...]) -> list[int]:
    """Return the naturals that a word holds, least significant first, by Horner's rule."""
    values = []
    for operand in range(task.operands):
        value = 0
        for letter in reversed(word):
            value = value * task.base + letter // task.base**operand % task.base
        values.append(value)
    return values


def test_natural_words_have_room_for_the_result(task: Task) -> None:
    for bits in (1, 2, 8, 70):
        largest = task.base**bits - 1
        corners = list(product((0, largest), repeat=task.operands))
        layout = task.natural_layout(bits)
        assert layout.digits == bits
        letters = task.encode(list(zip(*corners, strict=True)), layout.steps)
        results = task.decode(task.expected(letters), layout.signed)
        assert results == [task.reference(*operands) for operands in corners]


@given(st.data())
def test_encode_and_operands_of(data: st.DataObject) -> None:
    name, base, operands = data.draw(st.sampled_from(REGISTERED))
    task = TASKS[name](base=base, operands=operands)
    steps = data.draw(st.integers(1, 80))
    natural = st.integers(0, base**steps - 1)
    count = data.draw(st.integers(1, 4))
    values = [data.draw(st.lists(natural, min_size=count, max_size=count)) for _ in range(operands)]
    letters = task.encode(values, steps)
    for column in range(count):
        word = tuple(letters[:, column].tolist())
        assert read(task, word) == [v[column] for v in values]
    assert task.operands_of(letters) == values


def test_vectors_hold_the_digits(task: Task) -> None:
    vectors = task.vectors
    assert vectors.shape == (task.letters, task.inputs)
    for letter, vector in enumerate(vectors.tolist()):
        digits = [letter // task.base**k % task.base for k in range(task.operands)]
        if task.base == 2:
            assert vector == digits
        else:
            hot = [vector[k * task.base : (k + 1) * task.base] for k in range(task.operands)]
            assert [h.index(1) for h in hot] == digits
            assert all(sum(h) == 1 for h in hot)


@pytest.mark.parametrize("bits", [0, -1, MAX_BITS + 1])
def test_widths_out_of_range(task: Task, bits: int) -> None:
    with pytest.raises(TaskError, match=f"operands of {bits} digits: expected 1 to {MAX_BITS}"):
        task.natural_layout(bits)


@pytest.mark.parametrize("name", SUMS)
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"base": 1}, "base 1: expected an integer from 2 to 16"),
        ({"base": 17}, "base 17"),
        ({"base": 0}, "base 0"),
        ({"base": -3}, "base -3"),
        ({"operands": 1}, "operands 1: expected an integer from 2 to 16"),
        ({"operands": 0}, "operands 0"),
        ({"operands": -2}, "operands -2"),
        ({"operands": 17}, "operands 17"),
        ({"operands": 5, "base": 10}, "100000 letters"),
        ({"operands": 16, "base": 3}, "letters"),
    ],
)
def test_tasks_that_cannot_be_built(name: str, options: dict[str, int], message: str) -> None:
    with pytest.raises((TaskError, DigitsError), match=message):
        TASKS[name](**options)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"base": 1}, "base 1 is not supported"),
        ({"notation": "{}"}, "does not show 2 operands"),
        ({"operands": 0, "notation": ""}, "0 operands"),
        ({"operands": 17, "notation": "{}" * 17}, "an alphabet has 2 to 65536"),
        ({"machine": MealyMachine([[0]], [[0]], 2)}, "the machine reads 1 letters"),
        ({"machine": MealyMachine([[0] * 4], [[0] * 4], 3)}, "the machine emits 3 symbols"),
    ],
)
def test_contracts_that_contradict_themselves(changes: dict[str, Any], message: str) -> None:
    parts = {
        "name": "t",
        "notation": "{} {}",
        "operands": 2,
        "reference": lambda a, b: a,
        "bounds": lambda a, b: a,
        "machine": None,
    }
    with pytest.raises(TaskError, match=message):
        Task(**{**parts, **changes})


def test_in_words() -> None:
    task = TASKS["sub"](operands=3)
    assert task.expression((3, -4, 5)) == "3 - (-4) - 5"
    assert task.expression((-3, 4, 0)) == "-3 - 4 - 0"
    assert task.formula == "a - b - c"
    assert task.result_text(-(10**5000))[:4] == "-100"
    assert OTHERS["comparison"].result_text(2) == ">"


def test_operands_that_do_not_fit() -> None:
    with pytest.raises(DigitsError, match="does not fit 3 digits"):
        TASKS["add"]().encode([[8], [0]], 3)


# ------------------------------------------------------------- tasks of other kinds


def test_other_kinds_on_all_pairs(other: Task) -> None:
    bits = 1 if other.base == 10 else 4
    pairs = list(product(range(other.base**bits), repeat=2))
    layout = other.natural_layout(bits)
    letters = other.encode(list(zip(*pairs, strict=True)), layout.steps)
    assert [tuple(pair) for pair in zip(*other.operands_of(letters), strict=True)] == pairs
    expected = other.expected(letters)
    assert expected.shape == letters.shape
    assert other.decode(expected, layout.signed) == [other.reference(*pair) for pair in pairs]


def test_other_kinds_place_their_digits_where_they_say(other: Task) -> None:
    """Every step outside of `digit_steps` holds padding, every step inside a digit that counts."""
    bits = 3
    layout = other.natural_layout(bits)
    places = other.digit_steps(layout)
    letters = other.encode([[other.base**bits - 1]] * 2, layout.steps)[:, 0]
    assert places.stop - places.start == bits
    assert (letters[places] == other.letters - 1).all()
    outside = np.delete(letters, np.arange(layout.steps)[places])
    assert not outside.any()


def test_delay_reads_on_after_the_operands() -> None:
    layout = OTHERS["average"].natural_layout(8)
    assert (layout.digits, layout.steps, layout.signed) == (8, 9, False)


@given(st.lists(st.tuples(st.integers(-(2**70), 2**70), st.integers(-9, 9)), min_size=1))
def test_average_of_negative_operands(pairs: list[tuple[int, int]]) -> None:
    task = OTHERS["average"]
    layout = task.layout([(-(2**70), 2**70)] * 2)
    letters = task.encode(list(zip(*pairs, strict=True)), layout.steps)
    assert task.decode(task.expected(letters), layout.signed) == [(a + b) // 2 for a, b in pairs]


def test_other_kinds_are_evaluated(other: Task, make_random: Callable[..., sa.Model]) -> None:
    """What is counted is what `predict` says, operands by operands."""
    bits = 1 if other.base == 10 else 3
    model = make_random(other, seed=9)
    found = sa.evaluate(model, bits)
    layout = other.natural_layout(bits)
    pairs = list(product(range(other.base**bits), repeat=2))
    letters = other.encode(list(zip(*pairs, strict=True)), layout.steps)
    outputs = np.array([step.argmax(-1) if step.shape[-1] > 1 else step[:, 0] > 0
                        for step in model.program.run(letters)]).astype(int)  # fmt: skip
    results = other.decode(outputs, layout.signed)
    right = [result == other.reference(*pair) for result, pair in zip(results, pairs, strict=True)]
    assert found.mode == "exhaustive"
    assert (found.checked, found.correct) == (len(pairs), sum(right))
    wrong = [pair for pair, fine in zip(pairs, right, strict=True) if not fine]
    assert [case.operands for case in found.counterexamples] == wrong[:10]
    assert [case.predicted for case in found.counterexamples] == [
        result for result, fine in zip(results, right, strict=True) if not fine
    ][:10]
    assert 0 < len(wrong) < len(pairs) + (other.base == 10)  # else it would show little


@pytest.mark.parametrize(
    ("name", "options"), [("average", {}), ("compare", {"order": "most"}), ("mul", {})]
)
def test_other_kinds_are_trained(name: str, options: dict[str, Any]) -> None:
    """A task of another kind goes through training, until it is exact."""
    result = sa.train(name, bits=2, seed=1, **options)
    assert result.reached
    assert (result.evaluation.checked, result.evaluation.correct) == (16, 16)
    pairs = list(product(range(4), repeat=2))
    found = result.model.predict(*zip(*pairs, strict=True), digits=2)
    assert found.predicted == [TASKS[name](**options).reference(*pair) for pair in pairs]


def test_training_does_not_count_outputs_that_are_thrown_away() -> None:
    config = sa.TrainingConfig(task="average", bits=3, max_steps=1)
    trainer = sa.Trainer(config)
    trainer.run()
    letters = trainer._engine.batches.letters(0)
    logits = trainer._engine.logits(0).reshape(letters.shape)
    right = trainer._engine.margins()[0] > 0
    assert letters.shape == (4, config.batch)
    assert (right == ((logits > 0) == OTHERS["average"].expected(letters))[1:]).all()


def test_an_exact_network_of_a_delayed_task_is_exact(make_adder: Callable[..., sa.Model]) -> None:
    adder = make_adder()
    model = sa.Model(OTHERS["average"], adder.network, adder.parameters)
    found = sa.evaluate(model, 6)
    assert found.exact
    assert found.min_margin > 0
    assert (
        str(model.predict(10**30, 10**30 + 3)) == f"({10**30} + {10**30 + 3}) // 2 = {10**30 + 1}"
    )
