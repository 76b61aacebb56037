"""Chains that are counted without being run, against those of every word."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

import seqarith as sa
from seqarith.evaluation.carry_chains import count_chains, longest_chains

FINITE = sorted(name for name in sa.registry.TASKS if sa.registry.TASKS[name]().machine is not None)


def every_word(task: sa.Task, bits: int) -> np.ndarray:
    layout = task.natural_layout(bits)
    codes = np.arange(task.letters**bits)
    words = np.zeros((layout.steps, len(codes)), np.intp)
    places = task.digit_steps(layout)
    words[places] = codes // task.letters ** np.arange(bits)[:, None] % task.letters
    return words


@pytest.mark.parametrize("name", FINITE)
@pytest.mark.parametrize("bits", [1, 4])
def test_every_task(name: str, bits: int) -> None:
    task = sa.registry.TASKS[name]()
    expected = Counter(longest_chains(task, every_word(task, bits)).tolist())
    assert count_chains(task, bits) == dict(sorted(expected.items()))


def test_without_a_machine_there_are_no_chains() -> None:
    assert count_chains(sa.registry.TASKS["mul"](), 3) == {0: 64}


def test_wide_operands_are_counted_at_once() -> None:
    counts = count_chains(sa.registry.TASKS["add"](), 40)
    assert sum(counts.values()) == 4**40
    # No chain: no place where both digits are 1. The longest: 1 + 1, then 1 + 0 or 0 + 1 for ever.
    assert (counts[0], counts[40]) == (3**40, 2**39)
