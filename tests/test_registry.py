"""Registries: names, suggestions, and entries of other packages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from seqarith.errors import PluginError, UnknownNameError
from seqarith.registry import (
    CELLS,
    LOSSES,
    OPTIMIZERS,
    OTHER_NAMES,
    SCHEDULES,
    TASKS,
    Registry,
    unknown,
)

ALL: list[Registry[Any]] = [TASKS, CELLS, LOSSES, OPTIMIZERS, SCHEDULES]


@pytest.mark.parametrize("registry", ALL, ids=lambda r: r.kind)
def test_every_entry_is_there(registry: Registry[Any]) -> None:
    names = list(registry)
    assert names
    assert len(set(names)) == len(names)
    for name in names:
        assert name in registry
        assert callable(registry[name])
        assert registry[name] is registry[name]
    assert "nothing" not in registry


@pytest.mark.parametrize("registry", ALL, ids=lambda r: r.kind)
def test_groups(registry: Registry[Any]) -> None:
    plural = {"loss": "losses"}.get(registry.kind, f"{registry.kind}s")
    assert registry.group == f"seqarith.{plural}"


@pytest.mark.parametrize(
    ("registry", "name", "suggestion"),
    [
        (TASKS, "ad", "add"),
        (TASKS, "ADD", "add"),
        (CELLS, "elmann", "elman"),
        (LOSSES, "crossentropy", "cross_entropy"),
        (OPTIMIZERS, "rmsporp", "rmsprop"),
        (SCHEDULES, "cosinus", "cosine"),
    ],
)
def test_did_you_mean(registry: Registry[Any], name: str, suggestion: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        registry[name]
    message = str(caught.value)
    assert message.startswith(f"unknown {registry.kind} {name!r}: known are ")
    assert message.endswith(f"Did you mean {suggestion!r}?")
    assert isinstance(caught.value, LookupError)


def test_nothing_near_nothing_suggested() -> None:
    assert unknown("cell", "xyz", ["elman"]) == "unknown cell 'xyz': known are elman"


def test_listing_and_refusing_imports_nothing() -> None:
    registry: Registry[Any] = Registry("thing", {"one": "no_such_module:x"})
    assert list(registry) == ["one"]
    with pytest.raises(UnknownNameError):
        registry["on"]


def offer(monkeypatch: pytest.MonkeyPatch, **entries: str) -> None:
    points = [EntryPoint(name, place, "seqarith.cells") for name, place in entries.items()]
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: points)


def test_entries_of_other_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, zeta="fractions:Fraction", elman="fractions:Fraction", alpha="json:loads")
    registry: Registry[Any] = Registry("cell", {"elman": "seqarith.cells.elman:Elman"})
    assert list(registry) == ["elman", "alpha", "zeta"]
    assert registry["alpha"] is json.loads
    assert registry["elman"].__name__ == "Elman", "a plugin cannot take a name that is taken"
    with pytest.raises(UnknownNameError, match="Did you mean 'zeta'"):
        registry["zetta"]


@pytest.mark.parametrize("place", ["no_such_module:x", "fractions:nothing"])
def test_entries_that_cannot_be_loaded(monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    offer(monkeypatch, broken=place)
    registry: Registry[Any] = Registry("cell", {})
    with pytest.raises(PluginError, match=f"cell 'broken' of {place} cannot be loaded") as caught:
        registry["broken"]
    assert isinstance(caught.value, ImportError)


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("x = (", "SyntaxError: "),
        ("x = unheard_of", "NameError: "),
        (
            "from dataclasses import *\n@dataclass\nclass A:\n    x: list = []",
            "ValueError: mutable",
        ),
    ],
)
def test_a_module_that_does_not_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str, error: str
) -> None:
    (tmp_path / "wrong_module.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    offer(monkeypatch, wrong="wrong_module:A")
    with pytest.raises(PluginError, match=f"cell 'wrong' of wrong_module:A cannot.*: {error}"):
        CELLS["wrong"]


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("fractions:Fraction", "the class Fraction"),
        ("fractions:math", "module"),
        ("json:loads", ""),
    ],
)
def test_entries_that_are_no_cells(
    monkeypatch: pytest.MonkeyPatch, place: str, reason: str
) -> None:
    offer(monkeypatch, strange=place)
    if not reason:  # a function: what it makes is seen when it is called
        assert CELLS._load("strange") is json.loads
        return
    with pytest.raises(PluginError, match=f"'strange' of {place} cannot be loaded: .*{reason}"):
        CELLS["strange"]


def test_an_offer_under_a_builtin_name_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, gru="fractions:Fraction", zeta="fractions:Fraction")
    assert list(CELLS.ignored) == ["gru"]
    assert CELLS.ignored["gru"].startswith(
        "cell 'gru' of fractions:Fraction is ignored: the name is seqarith's own; "
    )


@pytest.mark.parametrize("given", [dict, 3, None, ["gru"]])
@pytest.mark.parametrize("registry", ALL, ids=lambda r: r.kind)
def test_a_name_is_text(registry: Registry[Any], given: Any) -> None:
    constant = registry.group.rpartition(".")[2].upper()
    expected = rf"{registry.kind} .*: expected a name.*call seqarith\.{constant}\.register\('my_"
    with pytest.raises(TypeError, match=expected):
        registry[given]
    with pytest.raises(TypeError, match=expected):
        registry.build(given, {})


# ------------------------------------------------------------- a package that is installed

PLUGIN = '''
"""A task, a cell, a loss and an optimizer, as another package would bring them."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from seqarith.cells.elman import Elman
from seqarith.losses import BinaryCrossEntropy
from seqarith.machine import MealyMachine
from seqarith.optimizers import Optimizer
from seqarith.tasks.task import Task


def both(base=2, operands=2):
    """Keep the bits that both operands have; nothing has to be remembered."""
    return Task(
        name="both",
        notation="{} & {}",
        operands=operands,
        reference=lambda a, b: a & b,
        bounds=lambda a, b: (min(a[0], b[0], 0), max(a[1], b[1])),
        machine=MealyMachine([[0] * 4], [[0, 0, 0, 1]], 2),
        base=base,
    )


def soft(activation="sigmoid", bias=True):
    """An Elman cell under another name."""
    return Elman(activation, bias)


def entropy(reduction="mean"):
    """The loss that there is, under another name."""
    return BinaryCrossEntropy(reduction)


@dataclass(frozen=True)
class Sign(Optimizer):
    """p <- p - rate sign(g)."""

    name: ClassVar[str] = "sign"
    rate: ClassVar[float] = 0.02
    slots: ClassVar[tuple[str, ...]] = ()

    def update(self, parameters, gradient, memory, rate, step):
        np.subtract(parameters, rate * np.sign(gradient), out=parameters)
'''

ENTRY_POINTS = """
[seqarith.tasks]
both = seqarith_extra:both
broken = seqarith_extra:nothing

[seqarith.cells]
soft = seqarith_extra:soft
gru = seqarith_extra:soft

[seqarith.losses]
entropy = seqarith_extra:entropy

[seqarith.optimizers]
sign = seqarith_extra:Sign
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a wheel by hand and install it into a folder of its own."""
    folder = tmp_path_factory.mktemp("plugin")
    wheel, target = folder / "seqarith_extra-1.0-py3-none-any.whl", folder / "site"
    info = "seqarith_extra-1.0.dist-info"
    files = {
        "seqarith_extra.py": PLUGIN,
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: seqarith-extra\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
        f"{info}/entry_points.txt": ENTRY_POINTS,
    }
    record = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(wheel, "w") as file:
        for name, content in {**files, f"{info}/RECORD": record}.items():
            file.writestr(name, content)
    if find_spec("pip"):
        command = [sys.executable, "-m", "pip", "install", "--no-index", "--no-deps"]
        command += ["--disable-pip-version-check", "--target", str(target), str(wheel)]
        subprocess.run(command, check=True, capture_output=True)
    else:  # an environment without pip: to unpack is all that an installer would do
        with zipfile.ZipFile(wheel) as file:
            file.extractall(target)
    return target


@pytest.fixture
def inside(site: Path, environment: dict[str, str]) -> dict[str, Any]:
    """Return what makes a command find the plugin, beside the package that is tested."""
    paths = [str(site), environment.get("PYTHONPATH", "")]
    return {"env": {"PYTHONPATH": os.pathsep.join(filter(None, paths))}}


def test_train_and_predict_with_a_plugin(shell: Any, inside: dict[str, Any]) -> None:
    for command, name in [
        ("tasks", "both"), ("cells", "soft"), ("losses", "entropy"), ("optimizers", "sign"),
    ]:  # fmt: skip
        assert f"\n{name} " in shell(command, **inside).stdout
    trained = shell(
        *("train", "both", "--cell", "soft", "--loss", "entropy", "--optimizer", "sign"),
        *("--bits", "4", "--hidden", "4", "--json"),
        **inside,
    )
    assert trained.returncode == 0, trained.stderr
    found = json.loads(trained.stdout)
    assert (found["task"], found["exact"], found["checked"]) == ("both", True, 256)
    predicted = shell("predict", "12", "10", **inside)
    assert (predicted.returncode, predicted.stdout) == (0, "12 & 10 = 8\n")
    resumed = shell("eval", "model.npz", "--json", **inside)
    assert json.loads(resumed.stdout)["accuracy"] == 1

    outside = shell("predict", "12", "10", "--model", "model.npz")
    assert outside.returncode == 1
    assert "unknown task 'both'" in outside.stderr
    assert len(outside.stderr.splitlines()) == 1


def test_a_broken_plugin_is_one_line(shell: Any, inside: dict[str, Any]) -> None:
    for arguments in (("train", "broken"), ("tasks",), ("tasks", "--json")):
        found = shell(*arguments, **inside)
        assert found.returncode == 1
        assert found.stderr.startswith("Error: task 'broken' of seqarith_extra:nothing cannot be")
        assert len(found.stderr.splitlines()) == 1
        listed = {"train": "", "tasks": '"add"' if "--json" in arguments else "\nboth "}
        assert listed[arguments[0]] in found.stdout
    fine = shell("train", "add", "--bits", "2", **inside)
    assert fine.returncode == 0


def test_an_ignored_plugin_is_one_line(shell: Any, inside: dict[str, Any]) -> None:
    found = shell("cells", **inside)
    assert found.returncode == 1
    assert found.stderr.startswith("Error: cell 'gru' of seqarith_extra:soft is ignored: the name")
    assert len(found.stderr.splitlines()) == 1
    assert "\nsoft " in found.stdout


OF_SETTINGS = ("learning_rate", "max_steps")
OF_ENTRIES = [item for item in OTHER_NAMES.items() if item[1] not in OF_SETTINGS]


@pytest.mark.parametrize(("name", "meant"), OF_ENTRIES)
def test_names_that_others_use_are_suggested(name: str, meant: str) -> None:
    registry = next(each for each in (CELLS, TASKS, LOSSES) if meant in each)
    with pytest.raises(UnknownNameError, match=rf"Did you mean '{meant}'\?"):
        registry[name]
