"""The page runs the recorded step of any network as `Model.program` does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

import seqarith as sa
from seqarith.cells.cell import Cell
from seqarith.cells.recorded import RecordedCell
from seqarith.cells.recording import Operations, Sizes, Value
from seqarith.cells.steps import ARITY, Shape
from seqarith.network import Network

Contents = Callable[[sa.Model], dict[str, Any]]
SUMS = [(0, 0), (37, 58), (-3, 12), (2**60 + 5, -(3**20)), (255, 1)]


@dataclass(frozen=True)
class Leaky(Cell):
    """A cell of the operations that are rarely met, with two vectors in its memory."""

    keep: float = 0.5
    bias: bool = True

    name: ClassVar[str] = "leaky"
    memories: ClassVar[int] = 2

    def parameters(self, sizes: Sizes) -> dict[str, Shape]:
        hidden = sizes.hidden
        return {
            "weight_in": (2 * hidden, sizes.inputs),
            "weight_hh": (hidden, hidden),
            "decay": (hidden,),
            "offset": (hidden,),
        }

    def step(self, o: Operations, x: Value, memory: Value) -> Value:
        hidden, rest = o.split(memory, 2)
        read, gate = o.split(o.linear(x, "weight_in"), 2)
        new = o.relu(read) * o.sigmoid(o.linear(hidden, "weight_hh", "offset"))
        kept = o.scale(hidden, "decay") + (new - o.scale(rest, "decay"))
        return o.join(o.blend(o.sigmoid(gate), o.tanh(kept), rest), o.tanh(new - hidden))


@dataclass(frozen=True)
class Forgetful(Cell):
    """h' = tanh(W x): nothing is remembered."""

    bias: bool = True
    name: ClassVar[str] = "forgetful"

    def parameters(self, sizes: Sizes) -> dict[str, Shape]:
        return {"weight_ih": (sizes.hidden, sizes.inputs)}

    def step(self, o: Operations, x: Value, memory: Value) -> Value:
        return o.tanh(o.linear(x, "weight_ih"))


# h' = sigmoid(h + b): no class may ignore its input, but a file may say so.
DEAF = RecordedCell(
    name="deaf",
    options={"bias": True},
    operations=(("shift", 1, "rnn.offset_l0"), ("sigmoid", 2)),
    arrays={"rnn.offset_l0": (5,)},
    memory=5,
)


@dataclass(frozen=True)
class Shifted(Cell):
    """The memory is the input vector, as it is, and what the memory began with."""

    bias: bool = True
    name: ClassVar[str] = "shifted"
    memories: ClassVar[int] = 2

    def parameters(self, sizes: Sizes) -> dict[str, Shape]:
        return {"scale": (sizes.hidden,)}

    def step(self, o: Operations, x: Value, memory: Value) -> Value:
        first, _ = o.split(memory, 2)
        return o.join(x, o.scale(first, "scale"))


BUILTIN: dict[str, Cell] = {
    **{
        f"{name} {activation}": sa.registry.CELLS[name](activation=activation)
        for name in ("elman", "jordan")
        for activation in ("tanh", "sigmoid", "relu")
    },
    "elman without biases": sa.registry.CELLS["elman"](bias=False),
    "gru": sa.registry.CELLS["gru"](),
    "lstm": sa.registry.CELLS["lstm"](),
    "lstm without biases": sa.registry.CELLS["lstm"](bias=False),
}
OWN: dict[str, Cell] = {cell.name: cell for cell in (Leaky(), Forgetful(), DEAF, Shifted())}
HIDDEN = {"shifted": 2}


def made(cell: Cell, **options: Any) -> sa.Model:
    """Return an adder of random numbers, in every array of the model file."""
    task, rng = sa.registry.TASKS["add"](), np.random.default_rng(3)
    options = {"inputs": task.inputs, "outputs": 1, "dtype": "float64"} | options
    network = Network(cell, hidden=HIDDEN.get(cell.name, 5), **options)
    arrays = {name: rng.normal(0, 0.5, shape) for name, shape in network.exported_shapes().items()}
    return sa.Model(task, network, network.absorb(arrays))


def assert_page_agrees(node: Any, contents: Contents, model: sa.Model) -> None:
    for trace, operands in zip(node(contents(model), SUMS)["traces"], SUMS, strict=True):
        wanted = sa.trace(model, *operands)
        np.testing.assert_allclose(trace["memories"], wanted.memory, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(trace["logits"], wanted.logits, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(trace["margins"], wanted.margins, rtol=1e-12, atol=1e-12)
        assert trace["predicted"] == str(wanted.predicted)


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("name", BUILTIN)
def test_builtin_cells(node: Any, contents: Contents, name: str, layers: int) -> None:
    assert_page_agrees(node, contents, made(BUILTIN[name], layers=layers))


def test_no_builtin_cell_is_forgotten() -> None:
    assert {cell.name for cell in BUILTIN.values()} == set(sa.registry.CELLS.builtin)


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("name", OWN)
def test_own_cells(node: Any, contents: Contents, tmp_path: Path, name: str, layers: int) -> None:
    model = made(OWN[name], layers=layers)
    model.save(tmp_path / "own.npz")
    loaded = sa.Model.load(tmp_path / "own.npz")
    assert isinstance(loaded.network.cell, RecordedCell)
    assert contents(loaded) == contents(model)
    assert_page_agrees(node, contents, loaded)


def test_every_operation_is_met() -> None:
    met = {
        operation[0]
        for cell in (*BUILTIN.values(), *OWN.values())
        for operation in made(cell).network.step.operations
    }
    assert met == {*ARITY, "join"}


OPTIONS: dict[str, dict[str, Any]] = {
    "threshold": {"threshold": 0.5},
    "two logits": {"outputs": 2},
    "no bias of the readout": {"readout_bias": False},
    "own input vectors": {"letters": 4, "inputs": 3},
    "all": {"threshold": -0.25, "readout_bias": False, "letters": 4, "inputs": 7, "layers": 2},
}


@pytest.mark.parametrize("name", ["elman tanh", "jordan sigmoid", "gru", "lstm"])
@pytest.mark.parametrize("options", OPTIONS)
def test_options_of_a_network(node: Any, contents: Contents, name: str, options: str) -> None:
    model = made(BUILTIN[name], **OPTIONS[options])
    assert ("input.vectors" in contents(model)["arrays"]) == ("letters" in OPTIONS[options])
    assert_page_agrees(node, contents, model)


def test_a_threshold_of_a_single_precision_model(node: Any, contents: Contents) -> None:
    """It is rounded as the model rounds it; the page computes with that in double precision."""
    data = contents(made(BUILTIN["gru"], threshold=0.1, dtype="float32"))
    assert data["network"]["threshold"] == float(np.float32(0.1)) != 0.1
    plain = contents(made(BUILTIN["gru"], dtype="float32"))
    for low, high in zip(*(node(d, SUMS)["traces"] for d in (data, plain)), strict=True):
        assert low["memories"] == high["memories"]
        shifted = np.array(high["logits"]) - data["network"]["threshold"]
        np.testing.assert_array_equal(low["logits"], shifted)


@pytest.mark.parametrize("name", ["jordan tanh", "gru", "lstm", "leaky"])
def test_all_pairs(node: Any, contents: Contents, name: str) -> None:
    """Memories after all letters are computed side by side: none may disturb another."""
    model = made((BUILTIN | OWN)[name], layers=2, threshold=0.25, letters=4)
    said = node(contents(model), [], 3)["pairs"]
    assert sorted((a, b) for a, b, _, _ in said) == [(a, b) for a in range(8) for b in range(8)]
    predictions = list(model.predict([a for a, *_ in said], [b for _, b, *_ in said], digits=3))
    for (_, _, wrong, least), prediction in zip(said, predictions, strict=True):
        assert least == pytest.approx(prediction.min_margin, abs=1e-12)
        assert (wrong == 0) == prediction.correct


def test_names_that_javascript_has_already(node: Any, contents: Contents) -> None:
    """A file may call its arrays whatever it likes."""
    shapes = {"__proto__": (4, 2), "constructor": (4, 4), "toString": (4,)}
    operations = (
        ("linear", 0, "__proto__"), ("linear", 1, "constructor"), ("add", 2, 3),
        ("shift", 4, "toString"), ("tanh", 5),
    )  # fmt: skip
    cell = RecordedCell("named", {}, operations, shapes, 4)
    task, rng = sa.registry.TASKS["add"](), np.random.default_rng(0)
    network = Network(cell, 2, 4, 1, "float64")
    arrays = {name: rng.normal(size=shape) for name, shape in network.exported_shapes().items()}
    assert_page_agrees(node, contents, sa.Model(task, network, network.absorb(arrays)))
