"""The cells on the page about cells of one's own: right, trained, proved, and found."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seqarith as sa
from seqarith.network import InferencePass, Network

T, B, D, H, K = 5, 3, 2, 4, 2
NAMES = ("mgu", "peephole")
Blocks = Callable[[str, str], list[str]]


@pytest.fixture
def package(blocks: Blocks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install what the page shows: a module, and the entry points of its pyproject.toml."""
    first, second, _ = blocks("howto/own-cell.md", "python")
    (project,) = map(tomllib.loads, blocks("howto/own-cell.md", "toml"))
    (tmp_path / "gated.py").write_text(f"{first}\n\n{second}", encoding="utf-8")
    name, version = project["project"]["name"], project["project"]["version"]
    info = tmp_path / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = [
        f"[{group}]\n" + "".join(f"{key} = {place}\n" for key, place in entries.items())
        for group, entries in project["project"]["entry-points"].items()
    ]
    (info / "entry_points.txt").write_text("".join(lines))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "gated", raising=False)
    return tmp_path


@pytest.fixture
def registered(package: Path, blocks: Blocks) -> Iterator[Any]:
    """Run the lines of the page that make both cells known."""
    module = import_module("gated")
    exec(blocks("howto/own-cell.md", "python")[2], vars(module))
    yield module
    for name in NAMES:
        sa.registry.CELLS._registered.discard(name)
        sa.registry.CELLS._loaded.pop(name)


def test_a_cell_takes_15_lines_at_most(package: Path) -> None:
    for node in ast.parse((package / "gated.py").read_text()).body:
        if isinstance(node, ast.ClassDef) and node.name == "MinimalGatedUnit":
            quoted = ast.get_docstring(node, clean=False) or ""
            lines = ast.unparse(node).replace(quoted, "").splitlines()
            assert len([line for line in lines if line.strip(' "')]) <= 15


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_those_of_finite_differences(
    registered: Any, name: str, layers: int, unrolled: Callable[..., Any]
) -> None:
    network = Network(sa.registry.CELLS[name](), D, H, K, "float64", layers=layers)
    rng = np.random.default_rng(0)
    flat, inputs = rng.normal(0, 0.8, network.size), rng.normal(0, 1, (T, B, D))
    weights = rng.normal(size=(T, B, K))

    def value(at: Any) -> float:
        return float((unrolled(network, at, inputs)[0] * weights).sum())

    _, gradient = unrolled(network, flat, inputs, weights)
    for place in range(0, network.size, 3):
        moved = np.zeros_like(flat)
        moved[place] = 1e-5
        slope = (value(flat + moved) - value(flat - moved)) / 2e-5
        assert gradient[place] == pytest.approx(slope, rel=2e-6, abs=1e-8)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def unit(arrays: Any, x: Any, memory: Any) -> Any:
    """Return the memory after a step of the minimal gated unit, by its equations."""
    forget, new = np.split(arrays["rnn.weight_ih_l0"] @ x + arrays["rnn.bias_ih_l0"], 2)
    f = sigmoid(forget + arrays["rnn.weight_hf_l0"] @ memory)
    n = np.tanh(new + arrays["rnn.weight_hn_l0"] @ (f * memory))
    return n + f * (memory - n)


def peephole(arrays: Any, x: Any, memory: Any) -> Any:
    """Return the memory after a step of the LSTM with peepholes, by its equations."""
    h, c = np.split(memory, 2)
    total = (
        arrays["rnn.weight_ih_l0"] @ x + arrays["rnn.bias_ih_l0"] + arrays["rnn.weight_hh_l0"] @ h
    )
    i, f, g, o = np.split(total, 4)
    i = sigmoid(i + arrays["rnn.peephole_i_l0"] * c)
    f = sigmoid(f + arrays["rnn.peephole_f_l0"] * c)
    c = f * c + i * np.tanh(g)
    o = sigmoid(o + arrays["rnn.peephole_o_l0"] * c)
    return np.concatenate((o * np.tanh(c), c))


@pytest.mark.parametrize(("name", "step"), [("mgu", unit), ("peephole", peephole)])
def test_they_are_their_equations(registered: Any, name: str, step: Any) -> None:
    network = Network(sa.registry.CELLS[name](), D, H, K, "float64")
    rng = np.random.default_rng(1)
    arrays = {key: rng.normal(size=shape) for key, shape in network.exported_shapes().items()}
    vectors = rng.normal(size=(4, D))
    program = InferencePass(network, network.absorb(arrays), vectors)
    memory, expected = program.start(1), np.zeros(network.memory)
    for letter in (2, 0, 3, 3, 1):
        memory = program.step(memory, np.array([letter]))
        expected = step(arrays, vectors[letter], expected)
        np.testing.assert_allclose(memory[0], expected, rtol=1e-12, atol=1e-13)


def test_the_commands_find_it_train_it_and_prove_it(
    package: Path, environment: dict[str, str]
) -> None:
    def run(*arguments: str, installed: bool = True) -> str:
        paths = [str(package) if installed else "", environment.get("PYTHONPATH", "")]
        found = subprocess.run(
            [sys.executable, "-P", "-m", "seqarith", *arguments],
            capture_output=True, text=True, check=False, cwd=package,
            env=environment | {"PYTHONPATH": ":".join(filter(None, paths))},
        )  # fmt: skip
        assert found.returncode == 0, found.stderr
        return found.stdout

    assert "mgu " in run("cells")
    told = json.loads(run("train", "add", "--cell", "mgu", "--seed", "3", "--json"))
    assert (told["verdict"], told["exact"], told["checked"]) == ("proved", True, 65536)
    assert "mgu " not in run("cells", installed=False)
    assert "\nnetwork     mgu: 2 inputs, " in run("show")
    # Where the package is not installed the file says what its cell does.
    for installed in (True, False):
        assert json.loads(run("verify", "--json", installed=installed))["verdict"] == "proved"
        assert run("predict", "37", "58", installed=installed) == "37 + 58 = 95\n"
        assert "cell mgu" not in run("trace", "37", "58", installed=installed)


def test_a_file_cannot_say_what_a_cell_of_this_package_does(
    registered: Any, tmp_path: Path
) -> None:
    result = sa.train("add", cell="mgu", bits=2, hidden=4, max_steps=1, goal="steps")
    described = result.model.header()["network"]
    from seqarith.network_description import build_network

    with pytest.raises(sa.errors.InvalidValueError, match="this package's"):
        build_network({**described, "cell": "gru"}, result.model.task)
    broken = {**described["step"], "operations": [["tanh", 7]]}
    with pytest.raises(sa.errors.InvalidValueError, match="not known yet"):
        build_network({**described, "step": broken}, result.model.task)


def test_a_name_of_this_package_cannot_be_taken(registered: Any) -> None:
    with pytest.raises(sa.errors.InvalidValueError, match="seqarith's own"):
        sa.registry.CELLS.register("gru", registered.MinimalGatedUnit)
    assert "mgu" in sa.registry.CELLS
    assert "mgu" in list(sa.registry.CELLS)
