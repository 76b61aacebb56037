"""The settings of a run: what they build, and which are refused."""

from __future__ import annotations

from typing import Any

import pytest

from seqarith.errors import InvalidValueError, SeqarithError, TaskError, UnknownNameError
from seqarith.training.config import TrainingConfig

REFUSED: list[tuple[dict[str, Any], type[SeqarithError], str]] = [
    ({"task": "ad"}, UnknownNameError, r"unknown task 'ad'.*Did you mean 'add'\?"),
    ({"cell": "elmann"}, UnknownNameError, r"Did you mean 'elman'\?"),
    ({"loss": "crossentropy"}, UnknownNameError, r"Did you mean 'cross_entropy'\?"),
    ({"optimizer": "Adam "}, UnknownNameError, r"Did you mean 'adam'\?"),
    ({"schedule": "cosin"}, UnknownNameError, r"Did you mean 'cosine'\?"),
    ({"cell_options": {"activation": "relo"}}, InvalidValueError, "unknown activation 'relo'"),
    ({"layers": 0}, InvalidValueError, "layers 0: expected an integer from 1 to 16"),
    ({"input_encoding": "scalr"}, InvalidValueError, r"unknown encoding of digits.*'scalar'\?"),
    ({"input_encoding": [[0.0, 1.0]] * 3}, InvalidValueError, r"expected \(4, 1 to 1000\)"),
    ({"input_encoding": [[0.0, 1.0], [1.0]] * 2}, InvalidValueError, "a table of input vectors"),
    ({"input_encoding": [[float("nan")]] * 4}, InvalidValueError, "not finite"),
    (
        {"cell_options": {"size": 3}},
        InvalidValueError,
        "'elman' has no option 'size'; it has activation, bias",
    ),
    ({"cell_options": {"bias": 2}}, InvalidValueError, "bias"),
    (
        {"optimizer_options": {"momentum": 0.9}},
        InvalidValueError,
        "'adam' has no option 'momentum'; it has beta1",
    ),
    (
        {"optimizer": "sgd", "optimizer_options": {"momentum": 1}},
        InvalidValueError,
        "momentum 1: expected",
    ),
    ({"reduction": "max"}, InvalidValueError, "reduction 'max'"),
    ({"loss": "binary_cross_entropy", "base": 10}, InvalidValueError, "use cross_entropy"),
    ({"bits": 0}, InvalidValueError, "bits 0: expected an integer from 1 to 8192"),
    ({"bits": 2**13 + 1}, InvalidValueError, "bits 8193: expected"),
    ({"base": 1}, SeqarithError, "base 1"),
    ({"base": 17}, SeqarithError, "base 17"),
    ({"operands": 1}, TaskError, "operands 1: expected an integer from 2 to 16"),
    ({"hidden": 0}, InvalidValueError, "hidden 0: expected an integer from 1 to 4096"),
    ({"hidden": 5000}, InvalidValueError, "hidden 5000"),
    ({"batch_size": 0}, InvalidValueError, "batch size 0: expected an integer from 1 to"),
    ({"batch_size": 2**30}, InvalidValueError, "batch size"),
    ({"max_steps": 0}, InvalidValueError, "max steps 0: expected an integer from 1 to"),
    ({"seed": -1}, InvalidValueError, "seed -1: expected an integer from 0 to"),
    ({"seed": 2**32}, InvalidValueError, "seed"),
    ({"learning_rate": 0.0}, InvalidValueError, r"learning rate 0\.0"),
    ({"learning_rate": float("nan")}, InvalidValueError, "learning rate nan"),
    ({"learning_rate": float("inf")}, InvalidValueError, "learning rate inf"),
    ({"clip": 0.0}, InvalidValueError, r"clip 0\.0"),
    ({"clip": float("nan")}, InvalidValueError, "clip nan"),
    ({"goal": "never"}, InvalidValueError, "goal 'never': expected proved, exact or steps"),
    ({"noise": -0.1}, InvalidValueError, "noise -0.1: expected a finite number of at least 0"),
    ({"synchrony": float("nan")}, InvalidValueError, "synchrony nan"),
    ({"candidates": 0}, InvalidValueError, "candidates 0: expected an integer from 1 to 4096"),
    ({"restart_after": -1}, InvalidValueError, "restart after -1"),
    ({"dtype": "float16"}, InvalidValueError, "dtype 'float16'"),
    ({"preset": "tutoral"}, InvalidValueError, "preset 'tutoral': expected tutorial"),
]


@pytest.mark.parametrize(("settings", "error", "message"), REFUSED, ids=lambda v: str(v)[:40])
def test_refused(settings: dict[str, Any], error: type[SeqarithError], message: str) -> None:
    with pytest.raises(error, match=message):
        TrainingConfig(**settings)


def test_a_proof_is_the_goal_unless_something_else_is_said() -> None:
    default = TrainingConfig().describe()
    assert default["goal"] == "proved"
    assert min(default["noise"], default["synchrony"], default["restart_after"]) > 0
    plain = TrainingConfig(goal="exact").describe()
    assert (plain["noise"], plain["synchrony"], plain["restart_after"]) == (0, 0, 0)
    assert TrainingConfig(noise=0.0, restart_after=7).describe()["noise"] == 0
    assert TrainingConfig(noise=0.0, restart_after=7).patience == 7


def test_the_recipe_follows_the_network() -> None:
    tanh = TrainingConfig(hidden=16)
    sigmoid = TrainingConfig(hidden=16, cell_options={"activation": "sigmoid"})
    assert sigmoid.hidden_noise == tanh.hidden_noise / 2
    assert sigmoid.synchrony_weight == 4 * tanh.synchrony_weight
    assert TrainingConfig(hidden=64).initial_learning_rate < tanh.initial_learning_rate
    assert TrainingConfig(hidden=3).hidden_noise < tanh.hidden_noise
    assert TrainingConfig(hidden=3).patience < tanh.patience


def test_what_is_left_open_fits_the_task() -> None:
    binary, decimal = TrainingConfig(), TrainingConfig(base=10)
    assert (binary.built_loss.name, binary.network.outputs) == ("binary_cross_entropy", 1)
    assert (decimal.built_loss.name, decimal.network.outputs) == ("cross_entropy", 10)
    assert binary.network.inputs == 2
    assert decimal.network.inputs == 20
    assert TrainingConfig(loss="cross_entropy").network.outputs == 2


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"task": "sub", "base": 3, "cell_options": {"activation": "sigmoid", "bias": False}},
        {"optimizer": "sgd", "optimizer_options": {"momentum": 0.5, "nesterov": True}},
        {"learning_rate": 0.25, "clip": None, "schedule": "cosine", "dtype": "float64"},
    ],
)
def test_description_round_trip(settings: dict[str, Any]) -> None:
    import json

    config = TrainingConfig(**settings)
    description = json.loads(json.dumps(config.describe()))
    again = TrainingConfig.from_description(description)
    assert again.describe() == config.describe() == description


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [("constant", [0.4] * 4), ("linear", [0.4, 0.3, 0.2, 0.1])],
)
def test_rate(schedule: str, rates: list[float]) -> None:
    config = TrainingConfig(schedule=schedule, learning_rate=0.4, max_steps=4)
    assert [config.rate_at(step) for step in (1, 2, 3, 4)] == pytest.approx(rates)


@pytest.mark.parametrize("name", ["sgd", "rmsprop"])
def test_rate_of_the_optimizer_where_none_is_given(name: str) -> None:
    config = TrainingConfig(optimizer=name)
    assert config.rate_at(1) == type(config.built_optimizer).rate
