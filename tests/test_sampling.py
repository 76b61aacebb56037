"""The sampler: what it reaches, how often, and that one seed fixes it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from seqarith.errors import TaskError
from seqarith.registry import TASKS
from seqarith.tasks.sampling import Sampler
from seqarith.tasks.task import Task

SUMS = ("add", "sub")
CASES = [(name, base, operands) for name in SUMS for base, operands in [(2, 2), (2, 3), (5, 2)]]
CASES += [(name, 16, 2) for name in SUMS]


def longest_carry(task: Task, word: list[int]) -> int:
    """Return the longest run of steps that end with a carry, by sums of the digits in Python."""
    carry = run = longest = 0
    for letter in word:
        digits = [letter // task.base**k % task.base for k in range(task.operands)]
        total = sum(digits) if task.name == "add" else digits[0] - sum(digits[1:])
        carry = (total + carry) // task.base
        run = run + 1 if carry else 0
        longest = max(longest, run)
    return longest


@pytest.mark.parametrize(("name", "base", "operands"), CASES)
@pytest.mark.parametrize("bits", [1, 8])
def test_reaches_all_that_there_is(name: str, base: int, operands: int, bits: int) -> None:
    task = TASKS[name](base=base, operands=operands)
    sampler = Sampler(task, bits)
    letters = sampler.draw(np.random.default_rng(0), 40_000)
    assert letters.shape == (sampler.steps, 40_000)
    assert set(np.unique(letters)) == set(range(task.letters))
    trace = task.machine.trace(letters)
    possible = {0}
    for _ in range(bits):
        possible = {int(s) for state in possible for s in task.machine.next_state[state]}
    assert possible <= set(np.unique(trace))
    values = np.array(task.operands_of(letters))
    assert values.min() == 0
    assert values.max() == base**bits - 1
    # All operands at their largest at once, for which a uniform draw would wait for ever.
    assert (values == base**bits - 1).all(axis=0).any()


@pytest.mark.parametrize("name", SUMS)
@pytest.mark.parametrize("bits", [8, 32, 200])
def test_carries_travel_as_far_as_the_word_is_long(name: str, bits: int) -> None:
    task = TASKS[name]()
    letters = Sampler(task, bits).draw(np.random.default_rng(1), 3_000)
    chains = [longest_carry(task, word) for word in letters[:bits].T.tolist()]
    assert max(chains) == bits
    assert min(chains) == 0
    # Not once in a blue moon: a uniform draw has hardly any chain longer than half the word.
    assert sum(chain >= bits // 2 for chain in chains) > 0.02 * len(chains)


@pytest.mark.parametrize(("name", "base", "bits"), [("add", 2, 3), ("sub", 2, 3), ("add", 3, 2)])
def test_uniform_is_uniform(name: str, base: int, bits: int) -> None:
    task = TASKS[name](base=base)
    count = 64_000
    letters = Sampler(task, bits).uniform(np.random.default_rng(2), count)
    a, b = (np.array(values) for values in task.operands_of(letters))
    cells = base ** (2 * bits)
    seen = np.bincount(a * base**bits + b, minlength=cells)
    expected = count / cells
    chi_square = float(((seen - expected) ** 2 / expected).sum())
    freedom = cells - 1
    assert abs(chi_square - freedom) < 6 * (2 * freedom) ** 0.5


def test_half_of_the_mixture_is_uniform() -> None:
    """A word with no two equal neighbours is rare among favourites, so it counts the uniform."""
    task = TASKS["add"]()
    sampler = Sampler(task, 40)
    rng = np.random.default_rng(3)
    spread = {
        draw.__name__: (np.diff(draw(rng, 20_000)[:40], axis=0) == 0).mean(axis=0)
        for draw in (sampler.uniform, sampler.favouring, sampler.draw)
    }
    # The share of repeated neighbours in the mixture lies half-way between its two parts.
    middle = (spread["uniform"].mean() + spread["favouring"].mean()) / 2
    assert spread["draw"].mean() == pytest.approx(middle, abs=0.01)
    assert spread["uniform"].mean() == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("draw", ["draw", "uniform", "favouring"])
def test_one_seed_one_sample(draw: str) -> None:
    sampler = Sampler(TASKS["add"](), 12)
    first = getattr(sampler, draw)(np.random.default_rng(4), 50)
    again = getattr(Sampler(TASKS["add"](), 12), draw)(np.random.default_rng(4), 50)
    other = getattr(sampler, draw)(np.random.default_rng(5), 50)
    assert (first == again).all()
    assert (first != other).any()


def test_padding_is_zeros_where_the_task_puts_it() -> None:
    task = TASKS["add"](operands=4)
    sampler = Sampler(task, 5)
    assert sampler.steps == task.natural_layout(5).steps == 7
    assert not sampler.draw(np.random.default_rng(0), 100)[5:].any()


def test_a_task_without_a_machine() -> None:
    task = replace(TASKS["mul"](), order="most")
    sampler = Sampler(task, 6)
    letters = sampler.draw(np.random.default_rng(0), 4_000)
    assert not letters[:6].any()
    assert set(np.unique(letters[6:])) == {0, 1, 2, 3}
    values = np.array(task.operands_of(letters))
    assert (values == 63).all(axis=0).any()
    assert (values == 0).all(axis=0).any()


@pytest.mark.parametrize("bits", [0, -5, 2**20 + 1])
def test_widths_out_of_range(bits: int) -> None:
    with pytest.raises(TaskError, match="expected 1 to"):
        Sampler(TASKS["add"](), bits)
