"""The table of settings is what the configuration, the command line, files and keywords follow."""

from __future__ import annotations

import dataclasses
from typing import Any

import click
import numpy as np
import pytest

import seqarith as sa
from seqarith.cli import cli
from seqarith.errors import InvalidValueError
from seqarith.formats import RENAMED
from seqarith.schema import Integer
from seqarith.training.config import TrainingConfig
from seqarith.training.settings import SCHEMA, SETTINGS, options, resolve


def test_every_setting_is_a_field_a_key_and_an_argument() -> None:
    fields = {each.name: each for each in dataclasses.fields(TrainingConfig)}
    assert list(SETTINGS) == [name for name in fields if name != "function"]
    assert {*SCHEMA.required, *SCHEMA.optional} == set(SETTINGS)
    for name, setting in SETTINGS.items():
        if setting.default != {}:
            assert fields[name].default == setting.default
        assert f"    {name}: {setting.help}" in str(TrainingConfig.__doc__)
        assert setting.help.endswith("."), name


def test_every_default_is_allowed() -> None:
    for setting in SETTINGS.values():
        setting.check(setting.default)


@pytest.mark.parametrize("name", [k for k, v in SETTINGS.items() if isinstance(v.schema, Integer)])
def test_the_range_of_the_table_is_checked(name: str) -> None:
    schema = SETTINGS[name].schema
    assert isinstance(schema, Integer)
    for value in (schema.low - 1, schema.high + 1, 1.0, True, "1"):
        with pytest.raises(InvalidValueError, match=f"^{name.replace('_', ' ')} .*: expected an"):
            TrainingConfig(**{name: value})


def test_every_setting_of_a_group_is_an_option() -> None:
    command = cli.get_command(click.Context(cli), "train")
    assert command is not None
    listed = {each.name: each for each in command.params if isinstance(each, click.Option)}
    for setting, _ in options():
        option = listed[setting.name]
        assert tuple(option.opts) == setting.flags
        assert str(option.help).startswith(setting.help)
        assert setting.notes in str(option.help)


def test_numbers_of_an_array_are_settings_too() -> None:
    (rate,), (hidden,) = np.array([0.25]), np.array([7])
    config = TrainingConfig(learning_rate=rate, hidden=hidden)
    assert (type(config.learning_rate), type(config.hidden)) == (float, int)


@pytest.mark.parametrize(
    ("task", "keywords", "settings"),
    [
        ("add", {"bits": 4}, {"bits": 4}),
        ("add", {"digits": 4}, {"bits": 4}),
        ("scale", {"factor": 5}, {"parameters": {"factor": 5}}),
        ("mod", {"parameters": {"divisor": 4}, "order": "least"},
         {"parameters": {"divisor": 4, "order": "least"}}),
        ("mod", {"order": "least", "parameters": {"divisor": 4}},
         {"parameters": {"divisor": 4, "order": "least"}}),
        ("add", {"activation": "relu", "bias": False},
         {"cell_options": {"activation": "relu", "bias": False}}),
        ("add", {"cell": "gru", "bias": False}, {"cell": "gru", "cell_options": {"bias": False}}),
        ("add", {"optimizer": "sgd", "momentum": 0.9},
         {"optimizer": "sgd", "optimizer_options": {"momentum": 0.9}}),
    ],
    ids=str,
)  # fmt: skip
def test_keywords(task: str, keywords: dict[str, Any], settings: dict[str, Any]) -> None:
    assert resolve(task, keywords) == settings


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"learning_rat": 0.1}, "train has no setting 'learning_rat'. Did you mean 'learning_r"),
        ({"lr": 0.1}, "Did you mean 'learning_rate'?"),
        ({"activaton": "relu"}, "Did you mean 'activation'?"),
        ({"hiden": 3}, "Did you mean 'hidden'?"),
        ({"progres": True}, "Did you mean 'progress'?"),
        ({"factor": 5}, "train has no setting 'factor'"),
        ({"cell": "gru", "activation": "relu"}, "train has no setting 'activation'"),
        ({"momentum": 0.9}, "train has no setting 'momentum'"),
        ({"rate": 0.1}, "it is called learning_rate"),
        ({"until": "exact"}, "it is called goal"),
        ({"restarts": 3}, "it is called candidates"),
        ({"digits": "onehot"}, "it is called input_encoding, or bits for the number of digits"),
        ({"digits": 3, "bits": 4}, "digits and bits are the same setting"),
    ],
    ids=str,
)
def test_wrong_keywords_are_a_type_error(keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError) as raised:
        sa.train("add", **keywords)
    assert message in str(raised.value)
    with pytest.raises(TypeError):
        sa.train_many("add", range(2), **keywords)


@pytest.mark.parametrize("name", RENAMED)
def test_the_configuration_names_new_names_too(name: str) -> None:
    with pytest.raises(TypeError, match=f"TrainingConfig .* is called {RENAMED[name]}"):
        TrainingConfig(**{name: 1})


def test_a_task_of_its_own_takes_settings_by_keyword() -> None:
    task = sa.Task.from_function(lambda a: 3 * a, name="triple")
    config = TrainingConfig.from_keywords(task, activation="sigmoid", digits=3)
    assert (config.bits, config.cell_options) == (3, {"activation": "sigmoid"})
    with pytest.raises(TypeError, match="no setting 'factor'"):
        TrainingConfig.from_keywords(task, factor=3)


def test_files_with_former_names_are_read() -> None:
    config = TrainingConfig(goal="exact", learning_rate=0.5, candidates=2, input_encoding="onehot")
    former = {new: old for old, new in RENAMED.items()}
    old = {former.get(name, name): value for name, value in config.describe().items()}
    assert {"rate", "until", "restarts", "digits"} <= old.keys()
    assert TrainingConfig.from_description(old).describe() == config.describe()


def test_what_a_file_gives_although_it_is_the_default_is_no_fault() -> None:
    description = {**TrainingConfig().describe(), "layers": 1}
    assert TrainingConfig.from_description(description).layers == 1
