"""Every cell, activation, number of layers and reading of digits is learnt and proved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seqarith as sa
from seqarith.network import Network
from seqarith.tasks.vectors import ENCODINGS, input_vectors

SETTINGS: dict[str, dict[str, Any]] = {
    "relu": {"cell_options": {"activation": "relu"}, "seed": 2},
    "two layers": {"layers": 2},
    "three layers of sigmoids": {"layers": 3, "cell_options": {"activation": "sigmoid"}},
    "two layers of a GRU": {"layers": 2, "cell": "gru"},
    "two layers of an LSTM": {"layers": 2, "cell": "lstm"},
    "output feedback": {"cell": "jordan"},
    "output feedback through two layers": {"cell": "jordan", "layers": 2},
    "scaled digits": {"base": 3, "bits": 4, "input_encoding": "scaled", "hidden": 24},
    "a table": {"input_encoding": [[0.0], [1.0], [1.0], [2.0]]},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_it_is_learnt_and_proved_and_survives_its_file(name: str, tmp_path: Path) -> None:
    result = sa.train("add", **SETTINGS[name])
    assert result.proved
    assert result.evaluation.exact
    result.model.save(tmp_path / "m.npz")
    loaded = sa.Model.load(tmp_path / "m.npz")
    assert loaded.digest == result.model.digest
    assert loaded.network == result.model.network
    assert isinstance(sa.verify(loaded), sa.Accepted)
    assert loaded.predict(37, 58).predicted == 95
    checkpoint = sa.TrainingConfig.from_description(sa.TrainingConfig(**SETTINGS[name]).describe())
    assert checkpoint.network == result.model.network


def test_a_run_of_layers_goes_on_where_it_stopped(tmp_path: Path) -> None:
    config = sa.TrainingConfig(
        bits=4, layers=2, max_steps=30, goal="steps", input_encoding="onehot"
    )
    whole = sa.Trainer(config).run().model
    halves: list[sa.Checkpoint] = []
    hooks = sa.Hooks(checkpoint=halves.append, checkpoint_every=15)
    sa.Trainer(config).run(hooks)
    halves[0].save(tmp_path / "c")
    resumed = sa.Trainer(config, sa.Checkpoint.load(tmp_path / "c")).run().model
    assert resumed.parameters.flat.tobytes() == whole.parameters.flat.tobytes()


def test_a_threshold_moves_the_decision_and_is_proved(adder: sa.Model, tmp_path: Path) -> None:
    """A readout of 0 to 1, as networks have that were trained by the squared error."""
    arrays = adder.network.export(adder.parameters)
    arrays["readout.weight"] /= 20
    arrays["readout.bias"] = np.zeros(1)
    old = adder.network
    network = Network(old.cell, 2, old.hidden, 1, old.dtype, threshold=0.5)
    model = sa.Model(adder.task, network, network.absorb(arrays))
    assert sa.evaluate(model, 8).exact
    verdict = sa.certify(model, 10)
    assert isinstance(verdict, sa.Proved)
    sa.attach(model, verdict.certificate).save(tmp_path / "m.npz")
    loaded = sa.Model.load(tmp_path / "m.npz")
    assert loaded.network.threshold == 0.5
    assert isinstance(sa.verify(loaded), sa.Accepted)
    plain = Network(old.cell, 2, old.hidden, 1, old.dtype)
    other = sa.Model(adder.task, plain, plain.absorb(arrays), certificate=loaded.certificate)
    assert isinstance(sa.verify(other), sa.Rejected)
    assert not sa.evaluate(other, 8).exact


@pytest.mark.parametrize("base", [2, 3, 10, 16])
@pytest.mark.parametrize("digits", list(ENCODINGS))
def test_vectors_tell_all_letters_apart(base: int, digits: str) -> None:
    task = sa.registry.TASKS["add"](base=base)
    vectors = input_vectors(task, digits)
    assert len(np.unique(vectors, axis=0)) == task.letters == len(vectors)
    if digits in ("bits", "onehot") and (base == 2) == (digits == "bits"):
        assert (vectors == task.vectors).all()
    if digits == "scalar":
        assert (vectors == task.digits.T).all()


@pytest.mark.parametrize("wrong", [{"layers": 17}, {"threshold": float("inf")}, {"hidden": 0}])
def test_networks_that_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(sa.errors.InvalidValueError):
        Network(sa.registry.CELLS["elman"](), **{"inputs": 2, "hidden": 3, "outputs": 1, **wrong})


def test_several_logits_have_no_threshold() -> None:
    with pytest.raises(sa.errors.InvalidValueError, match="the largest of 2 logits decides"):
        Network(sa.registry.CELLS["elman"](), 2, 3, 2, threshold=0.5)


def test_layers_read_the_layer_below(unrolled: Callable[..., Any]) -> None:
    """Two layers, step by step in NumPy, by PyTorch's names."""
    network = Network(sa.registry.CELLS["elman"](), 2, 3, 1, "float64", layers=2)
    rng = np.random.default_rng(0)
    arrays = {name: rng.normal(size=shape) for name, shape in network.exported_shapes().items()}
    model = sa.Model(sa.registry.TASKS["add"](), network, network.absorb(arrays))
    lower, upper = np.zeros(3), np.zeros(3)
    trace = sa.trace(model, 37, 58)
    for t, letter in enumerate(trace.letters):
        below = model.task.vectors[letter]
        lower = np.tanh(
            arrays["rnn.weight_ih_l0"] @ below + arrays["rnn.bias_ih_l0"]
            + arrays["rnn.weight_hh_l0"] @ lower + arrays["rnn.bias_hh_l0"]
        )  # fmt: skip
        upper = np.tanh(
            arrays["rnn.weight_ih_l1"] @ lower + arrays["rnn.bias_ih_l1"]
            + arrays["rnn.weight_hh_l1"] @ upper + arrays["rnn.bias_hh_l1"]
        )  # fmt: skip
        np.testing.assert_allclose(trace.hidden[t + 1], upper, atol=1e-13)
        logit = arrays["readout.weight"] @ upper + arrays["readout.bias"]
        np.testing.assert_allclose(trace.logits[t], logit, atol=1e-12)
