"""Sums of counts: in any order the same, and the first wrong operands of many."""

from __future__ import annotations

import numpy as np
import pytest

import seqarith as sa
from seqarith.evaluation.counts import SHOWN, Counts


@pytest.mark.parametrize(
    ("name", "options", "digits"),
    [
        ("add", {}, 5),
        ("add", {}, 100),
        ("add", {"base": 10}, 30),
        ("divide", {}, 80),
        ("add", {"base": 16}, 4),
    ],
)
def test_the_first_wrong_operands_of_many(name: str, options: dict[str, int], digits: int) -> None:
    task = sa.registry.TASKS[name](**options)
    rng = np.random.default_rng(3)
    size = task.base**digits
    columns = [
        [int(rng.integers(2**40)) * size // 2**40 // 2 ** int(rng.integers(3)) for _ in range(900)]
        for _ in range(task.operands)
    ]
    columns[0][:300] = [columns[0][0]] * 300  # many with the same first operand
    layout = task.natural_layout(digits)
    letters = task.encode(columns, layout.steps)
    tally = Counts(task)
    tally.add(900, np.ones(900, np.uint32), lambda chosen: letters[:, chosen])
    assert tally.first_wrong == sorted(set(zip(*columns, strict=True)))[:SHOWN]
    assert (tally.words, tally.wrong_words, tally.wrong_digits) == (900, 900, 900)


def test_sums_are_the_same_in_any_order() -> None:
    task = sa.registry.TASKS["add"]()
    letters = task.encode([[9, 3, 7, 1], [5, 5, 2, 0]], 5)
    parts = []
    for n in range(4):
        parts.append(Counts(task))
        parts[-1].least = float(n)
        parts[-1].add(1, np.array([n]), lambda chosen, n=n: letters[:, n + chosen])
    forwards, backwards = Counts(task), Counts(task)
    for part in parts:
        forwards.merge(part)
    for part in reversed(parts):
        backwards.merge(part)
    assert forwards.describe() == backwards.describe()
    assert (forwards.words, forwards.wrong_words, forwards.wrong_digits) == (4, 3, 6)
    assert forwards.first_wrong == [(1, 0), (3, 5), (7, 2)]
    assert Counts.from_description(task, forwards.describe()).describe() == forwards.describe()
