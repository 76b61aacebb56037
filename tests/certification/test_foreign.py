"""A cell of another package: trained, proved and saved like ours; its file needs no class of it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, final

import numpy as np
import pytest
from click.testing import CliRunner

import seqarith as sa
from seqarith import archive
from seqarith.cells.cell import Cell
from seqarith.cells.recorded import RecordedCell
from seqarith.cells.recording import Operations, Sizes, Value
from seqarith.cells.steps import Shape, StepError
from seqarith.certification.adapter import from_model
from seqarith.certification.kernel.check import Accepted, Rejected, check
from seqarith.cli import cli
from seqarith.errors import InvalidValueError, ModelFileError, UnknownNameError
from seqarith.model import FORMAT, VERSION
from seqarith.network import Network
from seqarith.registry import CELLS
from seqarith.tasks.builtin.addition import add


@final
@dataclass(frozen=True)
class MinimalGated(Cell):
    """h' = (1 - f) h + f tanh(W x + U (f h) + b), with a gate f: a GRU with a single gate.

    Args:
        bias: Whether there are biases.
        reset: Whether the gate is applied to what the candidate sees of h.
    """

    bias: bool = True
    reset: bool = True

    name: ClassVar[str] = "mgu"

    def parameters(self, sizes: Sizes) -> dict[str, Shape]:
        inner, outer = (sizes.hidden, sizes.inputs), (sizes.hidden, sizes.hidden)
        shapes: dict[str, Shape] = {
            "weight_if": inner, "weight_hf": outer, "weight_in": inner, "weight_hn": outer,
        }  # fmt: skip
        return shapes | ({"bias_f": outer[:1], "bias_n": outer[:1]} if self.bias else {})

    def step(self, o: Operations, x: Value, memory: Value) -> Value:
        gate = o.sigmoid(o.linear(x, "weight_if", "bias_f") + o.linear(memory, "weight_hf"))
        kept = gate * memory if self.reset else memory
        new = o.tanh(o.linear(x, "weight_in", "bias_n") + o.linear(kept, "weight_hn"))
        return o.blend(gate, new, memory)


def adder(dtype: str = "float64", layers: int = 1, **options: bool) -> sa.Model:
    """Tell by three units whether a + b + carry is at least 1, 2, 3: about -1 no, about 1 yes.

    The gate is nearly open for good. A second layer hands on what it reads.
    """
    network = Network(MinimalGated(**options), 2, 3, 1, dtype, layers=layers)
    steep, carry, none = 12.0, np.zeros((3, 3)), np.zeros((3, 3))
    carry[:, 1] = steep / 2
    arrays = {
        "rnn.weight_if_l0": none[:, :2], "rnn.weight_hf_l0": none,
        "rnn.weight_in_l0": np.full((3, 2), steep), "rnn.weight_hn_l0": carry,
        "rnn.bias_f_l0": np.full(3, 4.0), "rnn.bias_n_l0": -steep * (np.arange(3) + 0.25),
        "rnn.weight_if_l1": none, "rnn.weight_hf_l1": none,
        "rnn.weight_in_l1": 8 * np.eye(3), "rnn.weight_hn_l1": none,
        "rnn.bias_f_l1": np.full(3, 4.0), "rnn.bias_n_l1": np.zeros(3),
        "readout.weight": np.array([[10.0, -10.0, 10.0]]), "readout.bias": np.zeros(1),
    }  # fmt: skip
    kept = {name: arrays[name] for name in network.exported_shapes()}
    return sa.Model(add(), network, network.absorb(kept))


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Offer the cell as a package that is installed does."""
    monkeypatch.setitem(CELLS._loaded, "mgu", MinimalGated)


@pytest.fixture(scope="module")
def proof() -> sa.Model:
    model = adder()
    verdict = sa.certify(model, 10)
    assert isinstance(verdict, sa.Proved)
    return sa.attach(model, verdict.certificate)


@pytest.fixture
def path(proof: sa.Model, tmp_path: Path) -> Path:
    place = tmp_path / "mgu.npz"
    proof.save(place)
    return place


OPERANDS = [(37, 58), (0, 0), (2**64 - 1, 1), (12345678901234567890, 9876543210987654321)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("options", [{}, {"reset": False}])
@pytest.mark.parametrize("layers", [1, 2])
def test_it_is_proved_and_its_file_verified_where_no_such_class_is(
    tmp_path: Path, dtype: str, options: Any, layers: int
) -> None:
    model = adder(dtype, layers, **options)
    verdict = sa.certify(model, 10)
    assert isinstance(verdict, sa.Proved)
    assert (
        str(verdict)
        == f"Proved. a + b is right for operands of every width, as computed in {dtype}."
    )
    sa.attach(model, verdict.certificate).save(tmp_path / "m.npz")
    assert "mgu" not in CELLS
    loaded = sa.Model.load(tmp_path / "m.npz")
    assert type(loaded.network.cell) is RecordedCell
    assert loaded.network.cell.describe() == model.network.cell.describe()
    accepted = sa.verify(loaded)
    assert isinstance(accepted, Accepted)
    assert accepted.margin == pytest.approx(verdict.margin, rel=1e-5)
    for operands in OPERANDS:
        answer = loaded.predict(*operands)
        assert answer.predicted == sum(operands)
        assert answer.min_margin == model.predict(*operands).min_margin
    assert from_model(loaded).digest() == from_model(model).digest()


def test_what_is_loaded_is_certified_anew_evaluated_and_read(path: Path) -> None:
    loaded = sa.Model.load(path)
    assert isinstance(sa.certify(loaded, 10), sa.Proved)
    assert sa.evaluate(loaded, 6).exact
    assert sa.extract(loaded).proved
    assert sa.trace(loaded, 37, 58).predicted == 95


def test_the_induction_needs_no_more_than_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    import seqarith.certification.certify as module

    monkeypatch.setattr(module, "prove_by_boxes", lambda *_: None)
    verdict = sa.certify(adder(), 20)
    assert isinstance(verdict, sa.Proved)
    assert verdict.method.startswith("induction")


def test_it_is_trained_until_it_is_proved(registered: None, tmp_path: Path) -> None:
    result = sa.train("add", cell="mgu", hidden=8, seed=0, goal="proved", max_steps=3000)
    assert result.model.certificate is not None
    result.model.save(tmp_path / "m.npz")
    loaded = sa.Model.load(tmp_path / "m.npz")
    assert isinstance(sa.verify(loaded), Accepted)
    assert loaded.predict(2**200, 1).correct


def test_the_same_file_is_written_again(path: Path, tmp_path: Path) -> None:
    loaded = sa.Model.load(path)
    loaded.save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == path.read_bytes()
    assert sa.Model.load(tmp_path / "again.npz").digest == loaded.digest


def test_a_program_of_its_own_verifies_and_predicts(
    path: Path, shell: Callable[..., Any], tmp_path: Path
) -> None:
    """In another process, which has never seen the class."""
    found = shell("verify", str(path))
    assert found.returncode == 0, found.stderr
    assert "a + b is right for operands of every width" in found.stdout
    found = shell("predict", "37", "58", "--model", str(path))
    assert (found.returncode, found.stdout.strip()) == (0, "37 + 58 = 95")


@pytest.mark.parametrize("command", ["certify", "verify", "show", "eval"])
def test_commands_take_the_file(path: Path, command: str) -> None:
    shown = CliRunner().invoke(cli, [command, str(path)])
    assert shown.exit_code == 0, shown.output
    assert "enclosure" not in shown.output
    told = json.loads(CliRunner().invoke(cli, [command, str(path), "--json"]).stdout)
    assert "rests_on" not in told


def test_it_cannot_be_trained_where_it_is_only_recorded(path: Path) -> None:
    with pytest.raises(UnknownNameError, match="unknown cell 'mgu'"):
        sa.train("add", cell="mgu")
    network = sa.Model.load(path).network
    with pytest.raises(StepError, match="install its package to train it"):
        network.initial(np.random.default_rng(0))


def test_a_wrong_network_is_refuted(path: Path) -> None:
    loaded = sa.Model.load(path)
    arrays = loaded.network.export(loaded.parameters)
    arrays["rnn.weight_hn_l0"][:] = 0
    wrong = replace(loaded, parameters=loaded.network.absorb(arrays))
    verdict = sa.certify(wrong, 2)
    assert isinstance(verdict, sa.Refuted)
    assert not wrong.predict(*verdict.operands).correct
    assert isinstance(sa.verify(wrong), Rejected)


def test_options_change_the_step_and_the_step_the_digest() -> None:
    p, other = (from_model(adder(reset=reset)) for reset in (True, False))
    assert p.step != other.step
    digests = {
        p.digest(),
        other.digest(),
        replace(p, arrays={f"{name}x": x for name, x in p.arrays.items()}).digest(),
        replace(p, step=(*p.step[:-1], ("blend", 3, 2, 1))).digest(),
    }
    assert len(digests) == 4
    assert replace(p, arrays=dict(reversed(p.arrays.items()))).digest() == p.digest()
    verdict = sa.certify(adder(), 10)
    assert isinstance(verdict, sa.Proved)
    assert "another program" in getattr(check(other, verdict.certificate), "reason", "")


def rewritten(path: Path, change: Callable[[Any, Any], None]) -> Path:
    """Write a model file anew, changed: ``change(step, network)`` works in place."""
    found = archive.read(path, FORMAT, VERSION)
    arrays = {name: np.load(io.BytesIO(data)) for name, data in found.entries.items()}
    network = found.header["network"]
    change(network["step"], network)
    archive.write(path, found.header, arrays)
    return path


def edited(number: int, operation: list[Any]) -> Callable[[Any, Any], None]:
    def act(step: Any, network: Any) -> None:
        step["operations"][number] = operation

    return act


@pytest.mark.parametrize(
    "act",
    [
        edited(0, ["softmax", 0]),
        edited(0, ["linear", 0, "rnn.weight_xx_l0"]),
        edited(0, ["linear", 1, "rnn.weight_if_l0"]),
        edited(0, ["tanh", 2]),
        edited(0, ["tanh", -1]),
        edited(0, ["tanh", "0"]),
        edited(0, ["tanh", 0.0]),
        edited(0, ["tanh", None]),
        edited(0, ["tanh"]),
        edited(0, []),
        edited(-1, ["take", 1, 0, 2]),
        edited(-1, ["join", 1, 1]),
        lambda step, network: step["operations"].clear(),
        lambda step, network: step["operations"].extend([["tanh", 1]] * 2000),
        lambda step, network: step.pop("operations"),
        lambda step, network: step.pop("memory"),
        lambda step, network: step.update(memory=4),
        lambda step, network: step.update(memory=0),
        lambda step, network: step.update(more=1),
        lambda step, network: step["arrays"].append(["rnn.weight_xx_l0", [3, 3]]),
        lambda step, network: step["arrays"].pop(0),
        lambda step, network: step["arrays"].append(["rnn.bias_f_l0", [4]]),
        lambda step, network: step["arrays"].__setitem__(0, ["rnn.weight_if_l0", [2, 3]]),
        lambda step, network: step["arrays"].__setitem__(0, ["rnn.weight_if_l0"]),
        lambda step, network: step["arrays"].__setitem__(0, [3, [3, 2]]),
        lambda step, network: network.update(step=None),
        lambda step, network: network.update(cell="elman"),
        lambda step, network: network.pop("step"),
    ],
)
def test_a_file_whose_step_is_none_is_one_error(
    path: Path, act: Callable[[Any, Any], None]
) -> None:
    with pytest.raises(ModelFileError):
        sa.Model.load(rewritten(path, act))
    shown = CliRunner().invoke(cli, ["verify", str(path)])
    assert shown.exit_code == 1
    assert "Traceback" not in shown.output
    assert len(shown.stderr.strip().splitlines()) == 1


def test_a_file_is_judged_by_the_step_that_it_holds(path: Path) -> None:
    """Where the gate and the candidate change places it is another program, and a wrong one."""

    def swap(step: Any, network: Any) -> None:
        kind, gate, new, memory = step["operations"][-1]
        step["operations"][-1] = [kind, gate, memory, new]

    loaded = sa.Model.load(rewritten(path, swap))
    said = sa.verify(loaded)
    assert isinstance(said, Rejected)
    assert "another program" in said.reason
    assert isinstance(sa.certify(loaded, 2), sa.Refuted)


@final
@dataclass(frozen=True)
class Echo(Cell):
    """h' = tanh(W x + U relu(z) - V h), with z the logits before the step: it reads the readout."""

    bias: bool = False

    name: ClassVar[str] = "echo"

    def parameters(self, sizes: Sizes) -> dict[str, Shape]:
        inner, outer = (sizes.hidden, sizes.inputs), (sizes.hidden, sizes.outputs)
        return {"weight_ix": inner, "weight_zx": outer, "leak": (sizes.hidden,)}

    def step(self, o: Operations, x: Value, memory: Value) -> Value:
        said = o.linear(o.relu(o.logits()), "weight_zx")
        return o.tanh(o.linear(x, "weight_ix") + said - o.scale(memory, "leak"))


@pytest.mark.parametrize("readout_bias", [True, False])
def test_a_step_that_reads_the_logits_survives_its_file(tmp_path: Path, readout_bias: bool) -> None:
    network = Network(Echo(), 2, 4, 2, "float32", readout_bias=readout_bias)
    rng = np.random.default_rng(0)
    shapes = network.exported_shapes().items()
    drawn = {name: rng.normal(size=shape) for name, shape in shapes}
    model = sa.Model(add(), network, network.absorb(drawn))
    model.save(tmp_path / "echo.npz")
    loaded = sa.Model.load(tmp_path / "echo.npz")
    assert loaded.digest == model.digest
    assert from_model(loaded).digest() == from_model(model).digest()
    assert ("readout.bias" in from_model(loaded).arrays) == readout_bias
    for operands in OPERANDS:
        assert loaded.predict(*operands).predicted == model.predict(*operands).predicted
    assert isinstance(sa.certify(loaded, 1), sa.Refuted)


def test_a_step_that_is_none_is_told_when_the_network_is_made() -> None:
    @dataclass(frozen=True)
    class Narrow(Cell):
        name: ClassVar[str] = "narrow"

        def parameters(self, sizes: Sizes) -> dict[str, Shape]:
            return {"weight": (sizes.hidden - 1, sizes.hidden)}

        def step(self, o: Operations, x: Value, memory: Value) -> Value:
            return o.linear(memory, "weight")

    with pytest.raises(InvalidValueError, match="cell 'narrow'"):
        _ = Network(Narrow(), 2, 3, 1).step
