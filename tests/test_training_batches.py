"""The words of a run are a function of seed and step, whatever was asked before."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from seqarith.training.batches import Batches, SampledBatches
from seqarith.training.config import TrainingConfig
from seqarith.training.tutorial import TutorialBatches, tutorial_config


def sampled(**settings: Any) -> Batches:
    return SampledBatches(TrainingConfig(**{"bits": 4, "batch_size": 5, **settings}))


def tutorial(seed: int = 0) -> Batches:
    return TutorialBatches(tutorial_config(seed, 1000))


@pytest.mark.parametrize("make", [sampled, tutorial])
def test_any_order_gives_the_same_words(make: Any) -> None:
    batches = make()
    in_order = [batches.letters(step).copy() for step in range(600)]
    order = list(range(600))
    random.Random(1).shuffle(order)
    again = make()
    for step in order[:100]:
        assert (again.letters(step) == in_order[step]).all()
    fresh = make()
    assert (fresh.letters(599) == in_order[599]).all()


@pytest.mark.parametrize("make", [sampled, tutorial])
def test_seeds_and_steps_differ(make: Any) -> None:
    first, other = make(seed=1), make(seed=2)
    words = {first.letters(step).tobytes() for step in range(100)}
    assert len(words) > 90
    assert len(words & {other.letters(step).tobytes() for step in range(100)}) < 10


@pytest.mark.parametrize("base", [2, 3])
def test_inputs_and_targets_are_those_of_the_words(base: int) -> None:
    batches = sampled(base=base, dtype="float64")
    task = TrainingConfig(base=base).built_task
    for step in (0, 7, 40):
        inputs, targets = batches(step)
        letters = batches.letters(step)
        assert inputs.shape == (5, 5, task.inputs)
        assert inputs.dtype == targets.dtype == np.float64
        assert (inputs == task.vectors[letters]).all()
        right = task.machine.run(letters).reshape(-1)
        found = targets[:, 0] if base == 2 else targets.argmax(axis=1)
        assert (found == right).all()
        assert targets.shape == (25, 1 if base == 2 else base)


def test_the_pairs_of_the_tutorial() -> None:
    generator = np.random.RandomState(5)
    generator.random_sample(2 * 16 + 16 + 16 * 16)
    task = tutorial_config().built_task
    batches = tutorial(5)
    for step in range(1000):
        a = int(generator.randint(128))
        b = int(generator.randint(128))
        assert task.operands_of(batches.letters(step)) == [[a], [b]]
