"""Words on which a network was wrong are found, learnt and kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import seqarith as sa
from seqarith.errors import ModelFileError
from seqarith.training.batched import BatchedNetworks
from seqarith.training.counterexamples import BATCH, CounterexampleTraining

CONFIG = sa.TrainingConfig(bits=3, hidden=6, dtype="float64")


@pytest.fixture
def networks() -> BatchedNetworks:
    networks = BatchedNetworks(CONFIG)
    networks.initialise(0)
    return networks


def untrained(networks: BatchedNetworks) -> sa.Model:
    return sa.Model(CONFIG.built_task, CONFIG.network, networks.parameters(0))


def test_a_wrong_word_is_found_and_is_wrong(networks: BatchedNetworks) -> None:
    counterexamples, model = CounterexampleTraining(CONFIG, networks, []), untrained(networks)
    counterexamples.search(model)
    (word,) = counterexamples.words
    letters = np.array(word)[:, None]
    emitted = np.array([logits[:, 0] > 0 for logits in model.program.run(letters)])
    wrong = emitted != CONFIG.built_task.expected(letters)
    assert wrong[-1]
    assert not wrong[:-1].any()


def test_nothing_is_taught_without_words(networks: BatchedNetworks) -> None:
    networks.gradient[...] = 7
    CounterexampleTraining(CONFIG, networks, []).add_gradient(0)
    assert (networks.gradient == 7).all()


def test_the_gradient_is_that_of_a_batch_of_the_words(networks: BatchedNetworks) -> None:
    words = [[3, 1, 2], [1, 1, 1, 1, 3]]
    counterexamples = CounterexampleTraining(CONFIG, networks, words)
    letters = counterexamples._batch(5)
    assert letters.shape == (6, BATCH)
    for place in range(BATCH):
        word = words[(5 + place) % 2]
        assert letters[: len(word), place].tolist() == word
    networks.gradient[...] = 0
    counterexamples.add_gradient(5)
    taught = networks.gradient.copy()
    networks.gradient[...] = 2
    counterexamples.add_gradient(5)
    assert np.allclose(networks.gradient, taught + 2)

    def loss(at: np.ndarray) -> float:
        network, kernels = CONFIG.network, CONFIG.network.trainable()
        kernels.flat[...] = at
        model = sa.Model(CONFIG.built_task, network, network.unpack(kernels))
        expected = CONFIG.built_task.expected(letters)
        z = np.array([logits[:, 0] for logits in model.program.run(letters)])
        return float(np.log1p(np.exp(np.where(expected == 1, -z, z))).mean())

    flat = networks.flat.copy()
    for place in range(0, len(flat), 7):
        moved = np.zeros_like(flat)
        moved[place] = 1e-6
        slope = (loss(flat + moved) - loss(flat - moved)) / 2e-6
        assert taught[place] == pytest.approx(slope, abs=1e-7)


def test_words_outlive_a_checkpoint(tmp_path: Path) -> None:
    trainer = sa.Trainer(CONFIG)
    trainer._engine.counterexamples.words = [[0, 1, 2, 3], [3]]
    trainer.checkpoint().save(tmp_path / "c")
    assert sa.Checkpoint.load(tmp_path / "c").words == [[0, 1, 2, 3], [3]]
    again = sa.Trainer(CONFIG, sa.Checkpoint.load(tmp_path / "c"))
    assert again._engine.counterexamples.words == [[0, 1, 2, 3], [3]]


@pytest.mark.parametrize("words", [[[4]], [[]], [[-1]], [3], "x", [[0.5]], [[True]], [[0] * 257]])
def test_damaged_words_are_refused(tmp_path: Path, words: object) -> None:
    trainer = sa.Trainer(CONFIG)
    trainer._engine.counterexamples.words = words  # type: ignore[assignment]
    trainer.checkpoint().save(tmp_path / "c")
    with pytest.raises(ModelFileError, match=r"expected|a letter that the task does not have"):
        sa.Checkpoint.load(tmp_path / "c")
