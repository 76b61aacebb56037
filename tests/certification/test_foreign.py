"""A cell of another package: proved if it brings an enclosure, else told plainly why not."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, final

import numpy as np
import pytest
from click.testing import CliRunner

import seqarith as sa
from seqarith.cells.cell import Cell
from seqarith.cells.elman import Elman
from seqarith.certification import recurrences
from seqarith.certification.adapter import from_model
from seqarith.certification.affine import blend, constant, memory, squash
from seqarith.certification.check import Accepted, Rejected, check
from seqarith.certification.outward import Sets
from seqarith.certification.program import Program
from seqarith.cli import cli
from seqarith.errors import TaskError
from seqarith.network import Network
from seqarith.registry import CELLS
from seqarith.tasks.addition import add


@final
@dataclass(frozen=True)
class Leaky(Cell):
    """h' = n + keep (h - n) with n = tanh(W_ih x + W_hh h + b): an Elman cell that forgets slowly.

    Kernels, names and shapes are those of an Elman cell.
    """

    keep: float = 0.125
    bias: bool = True
    encloses: bool = True

    name: ClassVar[str] = "leaky"

    def kernels(self, inputs: int, hidden: int) -> Any:
        return Elman().kernels(inputs, hidden)

    def initialise(self, kernels: Any, rng: Any) -> None:
        Elman().initialise(kernels, rng)

    def exported_shapes(self, inputs: int, hidden: int) -> Any:
        return Elman().exported_shapes(inputs, hidden)

    def export(self, kernels: Any) -> Any:
        return Elman().export(kernels)

    def absorb(self, kernels: Any, exported: Any) -> None:
        Elman().absorb(kernels, exported)

    def tape(self, kernels: Any, gradients: Any, extent: Any) -> Any:
        raise AssertionError("nothing is trained here")

    def project_inputs(self, kernels: Any, vectors: Any) -> Any:
        return Elman().project_inputs(kernels, vectors)

    def project_memory(self, kernels: Any, memory: Any) -> Any:
        return Elman().project_memory(kernels, memory)

    def combine(self, from_input: Any, from_memory: Any, memory: Any) -> Any:
        new = np.tanh(from_input + from_memory)
        return new + new.dtype.type(self.keep) * (memory - new)

    def enclosure(self) -> Any:
        return LeakyEnclosure if self.encloses else None


class LeakyEnclosure:
    """What the package of the cell brings, made of this package's parts."""

    def __init__(self, p: Program, tanh_ulps: float, unit: float) -> None:
        names = {"weight_ih": "weight_ih_l0", "weight_hh": "weight_hh_l0", "bias": "bias_ih_l0"}
        kernels = {ours: p.kernels[f"rnn.{theirs}"] for ours, theirs in names.items()}
        self.one, self.none = np.ones(len(p.start)), np.zeros(len(p.start))
        self.error = recurrences.activation_error(tanh_ulps, unit, self.one)
        renamed = replace(p, kernels=kernels)
        self.projections = recurrences.Projections(renamed, self.one, unit)
        self.keep, self.unit = p.options["keep"] * self.one, unit

    def spread(self, c: Any, g: Any, e: Any) -> Any:
        return memory(c, g, e), self.projections.weigh(c, g, e)

    def step(self, spread: Any, letter: int) -> Sets:
        whole, weighted = spread
        x = self.projections.read(weighted, letter, 0, len(self.one))
        new = squash(x, self.one, self.none, self.error)
        after = blend(constant(self.keep, self.none), whole, new, self.unit)
        return Sets(after.c, after.g, after.e, after.low, after.high)


class Broken(LeakyEnclosure):
    def step(self, spread: Any, letter: int) -> Sets:
        raise IndexError("no such letter")


NAME = f"{LeakyEnclosure.__module__}:LeakyEnclosure"


def leaky_adder(encloses: bool = True, dtype: str = "float64") -> sa.Model:
    """Tell by three units whether a + b + carry is at least 1, 2, 3: about -1 no, about 1 yes."""
    network = Network(Leaky(encloses=encloses), 2, 3, 1, dtype)
    steep, carry = 12.0, np.zeros((3, 3))
    carry[:, 1] = steep / 2
    arrays = {
        "rnn.weight_ih_l0": np.full((3, 2), steep),
        "rnn.weight_hh_l0": carry,
        "rnn.bias_ih_l0": -steep * (np.arange(3) + 0.25),
        "rnn.bias_hh_l0": np.zeros(3),
        "readout.weight": np.array([[10.0, -10.0, 10.0]]),
        "readout.bias": np.zeros(1),
    }
    return sa.Model(add(), network, network.absorb(arrays))


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CELLS._builtin, "leaky", "")
    monkeypatch.setitem(CELLS._loaded, "leaky", Leaky)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_is_proved_and_the_proof_says_what_it_rests_on(dtype: str) -> None:
    model = leaky_adder(dtype=dtype)
    verdict = sa.certify(model, 10)
    assert isinstance(verdict, sa.Proved)
    assert verdict.claim.rests_on == (NAME,)
    assert f"if the enclosure {NAME} of another package is right" in str(verdict)
    again = sa.verify(sa.attach(model, verdict.certificate))
    assert isinstance(again, Accepted)
    assert again.trusting == NAME
    assert f"if the enclosure {NAME} of another package is right" in str(again)


def test_the_induction_needs_no_more_than_the_enclosure(monkeypatch: pytest.MonkeyPatch) -> None:
    import seqarith.certification.certify as module

    monkeypatch.setattr(module, "quick", lambda *_: None)
    verdict = sa.certify(leaky_adder(), 20)
    assert isinstance(verdict, sa.Proved)
    assert verdict.method.startswith("induction")
    assert verdict.claim.rests_on == (NAME,)
    assert f"if the enclosure {NAME} of another package is right" in str(verdict)


def test_the_commands_say_what_a_proof_rests_on(registered: None, tmp_path: Path) -> None:
    place = str(tmp_path / "leaky.npz")
    leaky_adder().save(place)
    line = f"if the enclosure {NAME} of another package is right"
    for command in ("certify", "verify"):
        shown = CliRunner().invoke(cli, [command, place])
        assert shown.exit_code == 0, shown.output
        assert line in shown.output
        told = json.loads(CliRunner().invoke(cli, [command, place, "--json"]).stdout)
        assert told["rests_on"] == [NAME]
        assert line in told["claim"]


def test_without_an_enclosure_it_is_told_why_and_still_evaluated(
    registered: None, tmp_path: Path
) -> None:
    model = leaky_adder(encloses=False)
    with pytest.raises(TaskError, match="cell 'leaky' brings no enclosure of its step"):
        sa.certify(model)
    assert sa.evaluate(model, 6).exact
    place = str(tmp_path / "leaky.npz")
    model.save(place)
    refused = CliRunner().invoke(cli, ["certify", place])
    assert refused.exit_code not in (0, 3, 4)
    assert "brings no enclosure" in refused.output
    assert "Traceback" not in refused.output
    assert CliRunner().invoke(cli, ["eval", place]).exit_code == 0


def test_options_and_kernels_are_in_the_digest() -> None:
    p = from_model(leaky_adder())
    digests = {
        replace(p, options={**p.options, "keep": 0.25}).digest(),
        replace(p, kernels={f"{name}x": x for name, x in p.kernels.items()}).digest(),
        replace(p, cell=f"{p.cell}x").digest(),
        p.digest(),
    }
    assert len(digests) == 4


def test_an_enclosure_that_fails_rejects() -> None:
    p = from_model(leaky_adder())
    verdict = sa.certify(leaky_adder(), 10)
    assert isinstance(verdict, sa.Proved)
    said = check(replace(p, enclosure=Broken), verdict.certificate)
    assert isinstance(said, Rejected)
    assert "Broken failed: no such letter" in said.reason
    said = check(replace(p, enclosure=None), verdict.certificate)
    assert isinstance(said, Rejected)
    assert "no enclosure of cell" in said.reason


def test_no_other_enclosure_is_asked_of_this_packages_cells(case: Any) -> None:
    p, c = case
    said = check(replace(p, enclosure=Broken), c)
    assert isinstance(said, Accepted)
    assert said.trusting == ""
