"""Many operands at once against one by one, and against Python's own arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import seqarith as sa
from seqarith import prediction
from seqarith.errors import DigitsError, TaskError
from seqarith.network import InferencePass
from seqarith.registry import TASKS

WORDS = st.integers(-(2**60), 2**60) | st.integers(-9, 9)


def columns(pairs: list[tuple[int, int]]) -> np.ndarray:
    return np.array(pairs, np.int64).reshape(-1, 2).T


@given(st.lists(st.tuples(WORDS, WORDS), max_size=12))
def test_an_array_is_as_one_by_one(adder: sa.Model, pairs: list[tuple[int, int]]) -> None:
    found = adder.predict(*columns(pairs))
    assert len(found) == len(pairs)
    assert found.predicted == found.expected == [a + b for a, b in pairs]
    assert found.wrong() == []
    for together, pair in zip(found, pairs, strict=True):
        alone = adder.predict(*pair)
        assert (str(together), together.correct) == (str(alone), True)
        assert together.min_margin == pytest.approx(alone.min_margin, rel=1e-9)


@pytest.mark.parametrize(
    ("task", "base", "parameters"),
    [
        ("sub", 2, {}), ("add", 10, {}), ("add", 16, {"operands": 3}), ("scale", 3, {"factor": 7}),
        ("compare", 2, {}), ("mod", 2, {"divisor": 5}), ("average", 2, {}), ("gray", 2, {}),
        ("mul", 2, {}),
    ],
)  # fmt: skip
def test_right_results_of_arrays_are_the_reference(
    task: str, base: int, parameters: dict[str, int]
) -> None:
    rng = np.random.default_rng(3)
    built = TASKS.build(task, {"base": base, **parameters})
    network = sa.Network(sa.registry.CELLS.build("elman", {}), built.inputs, 5, built.outputs)
    model = sa.Model(built, network, network.unpack(network.initial(rng)))
    lowest = -999 if built.negative else 0
    values = rng.integers(lowest, 1000, (built.operands, 200))
    found = model.predict(*values)
    rows = values.T.tolist()
    assert found.expected == [built.reference(*row) for row in rows]
    assert found.predicted == [model.predict(*row).predicted for row in rows]
    assert found.wrong() == [i for i, said in enumerate(found) if not said.correct]


def test_what_is_wrong(wrong_adder: sa.Model) -> None:
    found = wrong_adder.predict(*columns([(1, 1), (3, 3), (0, 0), (7, 7)]))
    assert found.wrong() == [1, 3]
    assert [str(said) for said in found][1] == "3 + 3 = 4 (wrong: 6 expected)"
    assert found.margins[1] < 0 < found.margins[0]


def test_long_operands_make_no_others_long(
    adder: sa.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[int, int]] = []
    run = InferencePass.run

    def counted(self: InferencePass, letters: np.ndarray) -> object:
        ran.append(letters.shape)
        return run(self, letters)

    monkeypatch.setattr(InferencePass, "run", counted)
    monkeypatch.setattr(prediction, "CHUNK", 3)
    pairs = [(1, 1)] * 4 + [(2**59, 1)] + [(-1, 0)]
    assert adder.predict(*columns(pairs)).predicted == [a + b for a, b in pairs]
    assert sorted(ran) == [(2, 1), (2, 1), (2, 3), (61, 1)]


def test_the_largest_words(adder: sa.Model) -> None:
    ends = np.iinfo(np.int64)
    pairs = [(ends.max, ends.max), (ends.min, ends.min), (2**61, -(2**61)), (2**61 - 1, 1)]
    found = adder.predict(*columns(pairs))
    assert found.predicted == [a + b for a, b in pairs]
    assert all(type(value) is int for value in found.predicted + found.operands[0])


def test_arrays_that_no_task_takes(adder: sa.Model) -> None:
    with pytest.raises(TaskError, match=r"a \+ b takes 2 operands, not 3"):
        adder.predict(*np.zeros((3, 4), np.int64))
    parity = TASKS.build("parity", {})
    network = sa.Network(sa.registry.CELLS.build("elman", {}), 1, 2, 2)
    with pytest.raises(TaskError, match="naturals only, not -7"):
        sa.Model(parity, network, network.parameters()).predict(*np.array([[3, -7, 1]]))


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.uint64, np.int64])
def test_arrays_of_any_integers(dtype: Any) -> None:
    most = min(2**61, int(np.iinfo(dtype).max))
    values = np.array([[most, 1, 0], [most, 2, most]], dtype)
    answers = sa.Model.shipped("add").predict(*values)
    assert answers.predicted == [2 * most, 3, most] == list(answers.expected)


def test_integers_that_no_int64_holds() -> None:
    answers = sa.Model.shipped("add").predict(*np.array([[2**64 - 1], [1]], np.uint64))
    assert answers.predicted == [2**64]


@pytest.mark.parametrize(
    "operands",
    [np.ones((2, 1, 1), int), np.array([[1.5], [2.0]]), np.array([[True], [False]]), [[1, 2], [3]]],
)
def test_what_are_no_columns_of_integers(operands: Any) -> None:
    with pytest.raises(DigitsError, match="expected"):
        sa.Model.shipped("add").predict(*operands)


def test_margins_of_a_product_are_those_of_the_right_digits(make_random: Any) -> None:
    model = make_random(sa.registry.TASKS["mul"](), 1, "float64")
    found = model.predict(3, 3)
    assert (found.min_margin < 0) == (not found.correct)
    assert not found.correct
