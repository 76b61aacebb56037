"""Counting with shared prefixes against running every pair by itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import seqarith as sa
from seqarith.errors import InvalidValueError, TaskError
from seqarith.evaluation import evaluate as module
from seqarith.evaluation.carry_chains import longest_chains
from seqarith.evaluation.evaluate import evaluate, widest_exhaustive
from seqarith.evaluation.prefixes import is_exact

CASES = [
    (name, base, bits, seed, dtype)
    for name in ("add", "sub")
    for base, bits in [(2, 1), (2, 6), (3, 1), (3, 4)]
    for seed, dtype in [(1, "float64"), (2, "float32")]
]


def longest_chain(name: str, base: int, a: int, b: int, steps: int) -> int:
    """Return the longest carry chain, by looking for it in a text of what every place does."""
    places = ""
    for t in range(steps):
        x, y = a // base**t % base, b // base**t % base
        score = x + y - (base - 1) if name == "add" else y - x
        places += "k" if score < 0 else "p" if score == 0 else "g"
    return max((len(chain) for chain in re.findall("gp*", places)), default=0)


def run_all(
    model: sa.Model, bits: int, unrolled: Callable[..., Any]
) -> dict[tuple[int, int], tuple[int, float, int, int]]:
    """Return for every pair: wrong digits, smallest margin, chain, and what came out.

    By the training pass, every pair from its first digit to its last, judged in Python.
    """
    task, base = model.task, model.task.base
    pairs = list(product(range(base**bits), repeat=2))
    steps = bits + 1
    word = [[a // base**t % base + base * (b // base**t % base) for a, b in pairs]
            for t in range(steps)]  # fmt: skip
    inputs = task.vectors[np.array(word)]
    logits, _ = unrolled(model.network, model.network.pack(model.parameters).flat, inputs)
    found = {}
    for n, (a, b) in enumerate(pairs):
        result = a + b if task.name == "add" else a - b
        wrong, least, said = 0, float("inf"), 0
        for t in range(steps):
            right = result // base**t % base
            row = logits[t, n].tolist()
            if len(row) == 1:
                digit, margin = int(row[0] > 0), row[0] if right else -row[0]
            else:
                digit = row.index(max(row))
                margin = row[right] - max(z for k, z in enumerate(row) if k != right)
            wrong += digit != right
            least = min(least, margin)
            said += digit * base**t
        if task.name == "sub" and 2 * said >= base**steps:
            said -= base**steps
        found[a, b] = (wrong, least, longest_chain(task.name, base, a, b, steps), said)
    return found


def compare(model: sa.Model, bits: int, unrolled: Callable[..., Any]) -> sa.Evaluation:
    expected = run_all(model, bits, unrolled)
    found = evaluate(model, bits)
    wrong = {pair: row for pair, row in expected.items() if row[0]}
    assert found.mode == "exhaustive"
    assert found.checked == len(expected)
    assert found.correct == len(expected) - len(wrong)
    assert found.digits == len(expected) * (bits + 1)
    assert found.digits_correct == found.digits - sum(row[0] for row in wrong.values())
    assert (found.directed, found.directed_correct) == (0, 0)
    tolerance = 1e-4 if model.network.dtype == "float32" else 1e-9
    assert found.min_margin == pytest.approx(min(r[1] for r in expected.values()), rel=tolerance)
    assert [case.operands for case in found.counterexamples] == sorted(wrong)[:10]
    for case in found.counterexamples:
        assert case.predicted == wrong[case.operands][3]
        assert not case.correct
    chains: dict[int, tuple[int, int]] = {}
    for missed, _, chain, _ in expected.values():
        words, errors = chains.get(chain, (0, 0))
        chains[chain] = (words + 1, errors + bool(missed))
    assert found.by_chain == dict(sorted(chains.items()))
    assert found.exact == (not wrong) == is_exact(model.task, model.program, bits)
    assert found.accuracy == found.correct / found.checked
    return found


@pytest.mark.parametrize(("name", "base", "bits", "seed", "dtype"), CASES)
def test_random_networks(
    make_random: Callable[..., sa.Model],
    unrolled: Callable[..., Any],
    name: str,
    base: int,
    bits: int,
    seed: int,
    dtype: str,
) -> None:
    found = compare(make_random(sa.registry.TASKS[name](base=base), seed, dtype), bits, unrolled)
    assert not found.exact


@pytest.mark.parametrize("bits", [1, 2, 7])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_right_network(
    make_adder: Callable[..., sa.Model], unrolled: Callable[..., Any], bits: int, dtype: str
) -> None:
    assert compare(make_adder(dtype=dtype), bits, unrolled).exact


@pytest.mark.parametrize("bits", [1, 2, 6])
def test_a_wrong_network(wrong_adder: sa.Model, unrolled: Callable[..., Any], bits: int) -> None:
    found = compare(wrong_adder, bits, unrolled)
    # It needs 1 + 1 and a carry to err: no pair of 1 bit does.
    assert found.exact == (bits == 1)
    if bits > 1:
        assert found.counterexamples[0].operands == (3, 3)


@pytest.mark.parametrize(("base", "bits"), [(3, 4), (10, 2)])
def test_a_right_network_in_other_bases(
    make_adder: Callable[..., sa.Model], unrolled: Callable[..., Any], base: int, bits: int
) -> None:
    assert compare(make_adder(base), bits, unrolled).exact


def test_errors_that_only_long_words_show(adder: sa.Model, unrolled: Callable[..., Any]) -> None:
    """A network that is wrong on leading zeros: the cases are shown at the width that was run."""
    arrays = adder.network.export(adder.parameters)
    arrays["rnn.weight_hh_l0"] = np.zeros((3, 3))
    arrays["rnn.weight_hh_l0"][:, 0] = 40.0  # it carries any 1, not only two of them
    model = sa.Model(adder.task, adder.network, adder.network.absorb(arrays))
    assert not compare(model, 4, unrolled).exact


def test_all_pairs_of_eight_bits(adder: sa.Model) -> None:
    found = evaluate(adder, 8)
    assert (found.checked, found.correct, found.digits) == (65536, 65536, 9 * 65536)
    assert sum(words for words, _ in found.by_chain.values()) == 65536
    assert max(found.by_chain) == 8


def test_three_operands(make_adder: Callable[..., sa.Model]) -> None:
    model = make_adder(2, 3)
    found = evaluate(model, 4)
    assert (found.checked, found.correct, found.digits) == (4096, 4096, 6 * 4096)


@given(st.integers(1, 40), st.lists(st.tuples(*[st.integers(0, 2**40 - 1)] * 2), min_size=1))
def test_chains_of_sums(bits: int, pairs: list[tuple[int, int]]) -> None:
    pairs = [(a % 2**bits, b % 2**bits) for a, b in pairs]
    for name in ("add", "sub"):
        task = sa.registry.TASKS[name]()
        letters = task.encode(list(zip(*pairs, strict=True)), bits + 1)
        expected = [longest_chain(name, 2, a, b, bits + 1) for a, b in pairs]
        assert longest_chains(task, letters).tolist() == expected


def test_a_chain_is_how_far_a_carry_travels() -> None:
    task = sa.registry.TASKS["add"]()
    letters = task.encode([[255, 1, 0, 255, 85], [1, 1, 0, 255, 170]], 9)
    assert longest_chains(task, letters).tolist() == [8, 1, 0, 1, 0]


# ------------------------------------------------------------- samples


def test_what_is_too_many_is_sampled_and_said(adder: sa.Model) -> None:
    found = evaluate(adder, 64, samples=400)
    assert found.mode == "sampled"
    assert found.summary()["mode"] == "sampled"
    assert (found.checked, found.correct) == (400, 400)
    assert (found.directed, found.directed_correct) == (100, 100)
    assert found.digits == found.digits_correct == 400 * 65
    assert found.exact
    assert max(found.by_chain) > 32


def test_the_limit_decides(adder: sa.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EXHAUSTIVE_LIMIT", 64)
    assert evaluate(adder, 3).mode == "exhaustive"
    found = evaluate(adder, 4)
    assert found.mode == "sampled"
    assert found.checked == 100_000
    assert evaluate(adder, 3, samples=5).mode == "sampled"


@pytest.mark.parametrize(("base", "limit"), [(2, 2**20), (2, 2**20 - 1), (3, 3**8), (10, 99)])
def test_the_widest_that_is_run_whole(base: int, limit: int) -> None:
    task = sa.registry.TASKS["add"](base=base)
    widest = widest_exhaustive(task, limit)
    assert widest == 1 or base ** (2 * widest) <= limit
    assert base ** (2 * widest + 2) > limit


def test_errors_are_met_by_a_sample(wrong_adder: sa.Model) -> None:
    found = evaluate(wrong_adder, 300, samples=50, seed=3)
    assert not found.exact
    assert found.correct < found.checked
    assert found.directed_correct < found.directed
    operands = [case.operands for case in found.counterexamples]
    assert operands == sorted(operands)
    for case in found.counterexamples:
        assert case.expected == sum(case.operands) != case.predicted


def test_rare_errors_are_met_by_the_words_with_long_runs(
    make_adder: Callable[..., sa.Model],
) -> None:
    """A carry that fades after some sixty digits: no uniform pair shows it, directed words do."""
    model = make_adder(steepness=9.0)
    arrays = model.network.export(model.parameters)

    def fading(weight: float) -> sa.Model:
        arrays["rnn.weight_hh_l0"][:, 1] = weight
        return sa.Model(model.task, model.network, model.network.absorb(arrays))

    low, high = 4.5, 9.0  # the weight by which the carry comes back: too small, large enough
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (
            (low, middle) if fading(middle).predict(2**60 - 1, 1).correct else (middle, high)
        )
    changed = fading(low)
    assert changed.predict(2**30 - 1, 1).correct
    assert not changed.predict(2**60 - 1, 1).correct
    found = evaluate(changed, 300, samples=400)
    assert not found.exact
    assert found.correct == found.checked
    assert found.directed_correct < found.directed


def test_one_seed_one_sample(wrong_adder: sa.Model) -> None:
    first, again = (evaluate(wrong_adder, 80, samples=60, seed=4) for _ in range(2))
    assert first.summary() == again.summary()
    assert [c.operands for c in first.counterexamples] == [
        c.operands for c in again.counterexamples
    ]
    other = evaluate(wrong_adder, 80, samples=60, seed=5)
    assert [c.operands for c in first.counterexamples] != [
        c.operands for c in other.counterexamples
    ]


@pytest.mark.parametrize("samples", [None, 1000])
def test_progress(adder: sa.Model, samples: int | None) -> None:
    seen: list[tuple[int, int]] = []
    found = evaluate(adder, 8, samples=samples, progress=lambda done, of: seen.append((done, of)))
    total = samples or 65536
    assert found.checked == total
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (total, total)
    assert {of for _, of in seen} == {total}


def test_refusals(adder: sa.Model) -> None:
    for samples in (0, -1):
        with pytest.raises(InvalidValueError, match=f"{samples} samples: expected 1 or more"):
            evaluate(adder, 8, samples=samples)
    for bits in (0, -8, 2**20 + 1):
        with pytest.raises(TaskError, match=f"operands of {bits} digits"):
            evaluate(adder, bits)


# ------------------------------------------------------------- what training gives


def test_the_trained_model_is_right_on_every_sum(trained: sa.Run) -> None:
    assert trained.reached
    found = evaluate(trained.model, 8)
    assert (found.checked, found.correct, found.exact) == (65536, 65536, True)
    assert found.min_margin > 0
    # And once more by what `predict` runs.
    pairs = list(product(range(256), repeat=2))
    assert [p.predicted for p in trained.model.predict(*zip(*pairs, strict=True))] == [
        a + b for a, b in pairs
    ]
