"""The tree of all words: every word once, with what the network says of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import seqarith as sa
from seqarith.evaluation import prefixes
from seqarith.evaluation.prefixes import Prefixes, is_exact
from seqarith.network import emitted

CASES = [("add", {}, 5), ("add", {"base": 3}, 3), ("max", {}, 4), ("average", {}, 4)]


@pytest.mark.parametrize("room", [1, 3, 40, 10**6])
@pytest.mark.parametrize(("name", "options", "bits"), CASES)
def test_every_word_once_with_its_errors(
    make_random: Callable[..., sa.Model],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    options: dict[str, int],
    bits: int,
    room: int,
) -> None:
    model = make_random(sa.registry.TASKS[name](**options), 4, "float64")
    width = model.program.start(1).shape[1]
    monkeypatch.setattr(prefixes, "BLOCK_BYTES", room * width * 8)
    tree = Prefixes(model.task, model.program, bits)
    seen: dict[tuple[int, ...], int] = {}
    for block in tree.words():
        letters = tree.letters(block, np.arange(len(block)))
        wrong = np.zeros(len(block), int) if block.wrong is None else block.wrong
        seen |= zip(map(tuple, letters.T.tolist()), wrong.tolist(), strict=True)
        assert set(model.task.machine.trace(letters)[-1]) == {block.state}
    assert len(seen) == model.task.letters**bits
    words = np.array(list(seen)).T
    first = model.task.first_result_step(len(words))
    said = np.array([emitted(logits) for logits in model.program.run(words)])
    missed = (said != model.task.expected(words))[first:].sum(axis=0)
    assert missed.tolist() == list(seen.values())
    assert missed.any()


def test_words_that_begin_alike(adder: sa.Model) -> None:
    tree = Prefixes(adder.task, adder.program, 4)
    found = [tree.letters(block, np.arange(len(block))) for block in tree.words([3, 1])]
    words = {tuple(word) for letters in found for word in letters.T.tolist()}
    assert len(words) == 16
    assert {word[:2] for word in words} == {(3, 1)}


def test_it_stops_at_the_first_error(
    make_random: Callable[..., sa.Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_random(sa.registry.TASKS["add"](), 1, "float64")
    lengths: list[int] = []
    logits = model.program.logits
    monkeypatch.setattr(
        type(model.program),
        "logits",
        lambda _, memory: lengths.append(len(memory)) or logits(memory),
    )
    assert not is_exact(model.task, model.program, 30)
    assert len(lengths) < 100
