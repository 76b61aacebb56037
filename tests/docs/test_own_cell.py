"""The cell on the page about cells of one's own: right, trained, proved, and found."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seqarith as sa
from seqarith.network import Network

T, B, D, H, K = 5, 3, 2, 4, 2
Blocks = Callable[[str, str], list[str]]


@pytest.fixture
def package(blocks: Blocks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install what the page shows: two modules, and the entry point of its pyproject.toml."""
    cell, proof = blocks("howto/own-cell.md", "python")
    (project,) = map(tomllib.loads, blocks("howto/own-cell.md", "toml"))
    (tmp_path / "leaky.py").write_text(cell, encoding="utf-8")
    (tmp_path / "leaky_proof.py").write_text(proof, encoding="utf-8")
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
    for module in ("leaky", "leaky_proof"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    return tmp_path


@pytest.fixture
def network(package: Path) -> Network:
    return Network(import_module("leaky").Leaky(keep=0.3), D, H, K, "float64")


def test_gradients_are_those_of_finite_differences(
    network: Network, unrolled: Callable[..., Any]
) -> None:
    rng = np.random.default_rng(0)
    flat, inputs = rng.normal(0, 0.8, network.size), rng.normal(0, 1, (T, B, D))
    weights = rng.normal(size=(T, B, K))

    def value(at: Any) -> float:
        return float((unrolled(network, at, inputs)[0] * weights).sum())

    _, gradient = unrolled(network, flat, inputs, weights)
    for place in range(network.size):
        moved = np.zeros_like(flat)
        moved[place] = 1e-5
        slope = (value(flat + moved) - value(flat - moved)) / 2e-5
        assert gradient[place] == pytest.approx(slope, rel=2e-6, abs=1e-8)


def test_it_is_its_equation(network: Network, unrolled: Callable[..., Any]) -> None:
    rng = np.random.default_rng(1)
    flat, inputs = rng.normal(0, 0.8, network.size), rng.normal(0, 1, (T, B, D))
    logits, _ = unrolled(network, flat, inputs)
    parameters = network.parameters()
    parameters.flat[...] = flat
    arrays = network.export(parameters)
    np.testing.assert_array_equal(network.absorb(arrays).flat, flat)
    for word in range(B):
        h = np.zeros(H)
        for t in range(T):
            total = arrays["rnn.weight_ih_l0"] @ inputs[t, word] + arrays["rnn.weight_hh_l0"] @ h
            n = np.tanh(total + arrays["rnn.bias_ih_l0"])
            h = 0.3 * h + 0.7 * n
            said = arrays["readout.weight"] @ h + arrays["readout.bias"]
            np.testing.assert_allclose(logits[t, word], said, rtol=1e-12, atol=1e-12)


def test_the_commands_find_it_train_it_and_prove_it(
    package: Path, environment: dict[str, str]
) -> None:
    paths = [str(package), *filter(None, [environment.get("PYTHONPATH")])]
    environment = environment | {"PYTHONPATH": ":".join(paths)}

    def run(*arguments: str) -> str:
        found = subprocess.run(
            [sys.executable, "-m", "seqarith", *arguments],
            capture_output=True, text=True, check=False, env=environment, cwd=package,
        )  # fmt: skip
        assert found.returncode == 0, found.stderr
        return found.stdout

    assert "leaky " in run("cells")
    told = json.loads(run("train", "add", "--cell", "leaky", "--json"))
    assert (told["verdict"], told["exact"], told["checked"]) == ("proved", True, 65536)
    assert json.loads(run("verify", "--json"))["rests_on"] == ["leaky_proof:LeakyEnclosure"]
    assert run("predict", "37", "58") == "37 + 58 = 95\n"


def test_without_an_enclosure_it_is_trained_until_it_is_exact(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaky = import_module("leaky")
    monkeypatch.delattr(leaky.Leaky, "enclosure")
    monkeypatch.setitem(sa.CELLS._builtin, "leaky", "leaky:Leaky")
    monkeypatch.setitem(sa.CELLS._loaded, "leaky", leaky.Leaky)
    result = sa.train("add", bits=4, cell="leaky", until="exact", seed=0)
    assert result.reached
    assert not result.proved
    with pytest.raises(sa.TaskError, match="brings no enclosure"):
        sa.certify(result.model)
