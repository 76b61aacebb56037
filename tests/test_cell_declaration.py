"""What is wrong in a cell of one's own is told in one line, where a network is made of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seqarith as sa
from seqarith.cells.cell import Cell
from seqarith.errors import InvalidValueError
from seqarith.network import MAX_ARRAYS, MAX_LAYERS, Network
from seqarith.training.config import TrainingConfig

H = 4
Step = Callable[[Any, Any, Any], Any]


def usual(o: Any, x: Any, h: Any) -> Any:
    return o.tanh(o.linear(x, "weight_ih", "bias_ih") + o.linear(h, "weight_hh"))


def shapes_of(sizes: Any) -> dict[str, Any]:
    hidden = sizes.hidden
    return {
        "weight_ih": (hidden, sizes.inputs), "weight_hh": (hidden, hidden), "bias_ih": (hidden,),
    }  # fmt: skip


def cell_of(step: Step = usual, parameters: Any = shapes_of, **attributes: Any) -> Cell:
    """Return a cell named ``mine`` with one thing about it changed."""

    @dataclass(frozen=True)
    class Mine(Cell):
        name = "mine"

        def parameters(self, sizes: Any) -> Any:
            return parameters(sizes)

        def step(self, o: Any, x: Any, memory: Any) -> Any:
            return step(o, x, memory)

    for key, value in attributes.items():
        setattr(Mine, key, value)
    return Mine()


def message(cell: Any, layers: int = 1) -> str:
    """Return the one line that a network of a cell is refused with."""
    with pytest.raises(InvalidValueError) as caught:
        Network(cell, 2, H, 1, layers=layers)
    text = str(caught.value)
    assert "\n" not in text
    assert text.count("mine") <= 1, "it is named once"
    return text


def test_a_sound_cell_passes() -> None:
    for layers in (1, 2):
        assert Network(cell_of(), 2, H, 1, layers=layers).step.memory == layers * H


# ------------------------------------------------------------- names


@pytest.mark.parametrize("name", ["weight/ih", "../a", "a b", "é", "", "a\n", "x" * 81, 3, None])
def test_names_that_no_file_keeps(name: Any) -> None:
    def parameters(sizes: Any) -> Any:
        return {**shapes_of(sizes), name: (H,)}

    text = message(cell_of(lambda o, x, h: o.shift(usual(o, x, h), name), parameters))
    assert text.startswith("cell 'mine': array ")
    assert text.endswith(": expected a name of 1 to 80 characters, each one of a-z A-Z 0-9 _ . -")


def test_names_that_differ_in_case_alone() -> None:
    def parameters(sizes: Any) -> Any:
        return {"W": (H, sizes.inputs), "w": (H,)}

    text = message(cell_of(lambda o, x, h: o.scale(o.linear(x, "W") + h, "w"), parameters))
    assert text == "cell 'mine': arrays 'W' and 'w' differ in case alone; rename one"


@pytest.mark.parametrize("name", ["", "my cell", "é", "a/b", 3])
def test_a_cell_needs_a_plain_name(name: Any) -> None:
    assert message(cell_of(name=name)).startswith(f"cell class Mine: name {name!r}: expected a nam")


def test_the_name_of_a_builtin_cell_is_taken() -> None:
    assert message(cell_of(name="gru")).endswith("'gru' is seqarith's own; choose another")


def test_a_cell_without_a_name() -> None:
    @dataclass(frozen=True)
    class Leaky(Cell):
        def parameters(self, sizes: Any) -> Any:
            return {}

        def step(self, o: Any, x: Any, memory: Any) -> Any:
            return x

    assert message(Leaky()) == "cell class Leaky has no name: write name = 'leaky' in it"


def test_a_cell_that_is_no_dataclass() -> None:
    class Plain(Cell):
        name = "plain"
        parameters = type(cell_of()).parameters
        step = type(cell_of()).step

    assert message(Plain()) == "cell 'plain': write @dataclass(frozen=True) above its class"


@pytest.mark.parametrize("given", [sa.registry.CELLS["gru"], "gru", None])
def test_a_network_takes_an_instance(given: Any) -> None:
    assert "expected an instance of a class of seqarith.Cell" in message(given)


# ------------------------------------------------------------- numbers and shapes


@pytest.mark.parametrize("memories", [-1, 0, 1.5, True, None])
def test_memories_is_a_number_of_vectors(memories: Any) -> None:
    text = message(cell_of(memories=memories))
    assert text.startswith(f"cell 'mine': memories {memories!r}: expected the number of vectors")


@pytest.mark.parametrize("shape", [(0,), (-3,), (2.0,), (H, H, H), (), [H], H, (2**16 + 1,), None])
def test_shapes_are_one_or_two_sizes(shape: Any) -> None:
    text = message(cell_of(parameters=lambda sizes: {"bias_ih": shape}))
    assert text.startswith(f"cell 'mine': array 'bias_ih' has shape {shape!r}; expected (N,) or (P")


@pytest.mark.parametrize("found", [["weight_ih"], None])
def test_parameters_are_a_dict(found: Any) -> None:
    text = message(cell_of(parameters=lambda sizes: found))
    assert f"`parameters` returns {type(found).__name__}; expected a dict of names" in text


def test_more_arrays_than_a_file_holds() -> None:
    names = [f"b{number}" for number in range(MAX_ARRAYS)]

    def step(o: Any, x: Any, h: Any) -> Any:
        for name in names:
            h = o.shift(h, name)
        return usual(o, x, h)

    def parameters(sizes: Any) -> Any:
        return shapes_of(sizes) | dict.fromkeys(names, (H,))

    text = message(cell_of(step, parameters))
    assert text.startswith(f"cell 'mine': {MAX_ARRAYS + 5} arrays in all layers; a model file hol")


@pytest.mark.parametrize("name", sa.registry.CELLS.builtin)
def test_a_file_holds_the_most_layers(name: str, tmp_path: Path) -> None:
    task = sa.registry.TASKS["add"]()
    network = Network(sa.registry.CELLS[name](), 2, H, 2, layers=MAX_LAYERS)
    model = sa.Model(task, network, network.parameters())
    model.save(tmp_path / "deep.npz")
    assert sa.Model.load(tmp_path / "deep.npz").digest == model.digest


# ------------------------------------------------------------- options


@pytest.mark.parametrize("option", ["hidden", "layers", "step", "dtype", "cell"])
def test_options_that_the_network_has(option: str) -> None:
    cell = cell_of(describe=lambda self: {option: 3})
    assert message(cell) == (
        f"cell 'mine': the network itself has a setting {option!r}; rename the option"
    )


def test_the_option_bias_is_the_readouts_too() -> None:
    text = message(cell_of(bias=3))
    assert text.startswith("cell 'mine': option bias 3: expected true or false; it says whether")
    assert Network(cell_of(bias=False), 2, H, 1).readout_bias is False


def test_options_that_no_file_holds() -> None:
    text = message(cell_of(describe=lambda self: {"keep": np.float32(0.5)}))
    assert text.startswith("cell 'mine': no model file can hold it: ")
    text = message(cell_of(describe=lambda self: {"keep": float("inf")}))
    assert text.startswith("cell 'mine': no model file can hold it: ")


# ------------------------------------------------------------- what a step may do

BRANCHES = "a step is recorded once, so it cannot branch on values, nor compare them"
CONSTANTS = "a step has no constants: z h + (1 - z) n is o.blend(z, h, n)"
OPERATORS = "values have the operators +, - and *"


@pytest.mark.parametrize(
    ("compute", "reason"),
    [
        (lambda o, x, h: h if h == 0 else x, BRANCHES),
        (lambda o, x, h: h if h != x else x, BRANCHES),
        (lambda o, x, h: h < 0, BRANCHES),
        (lambda o, x, h: h <= 0, BRANCHES),
        (lambda o, x, h: h > 0, BRANCHES),
        (lambda o, x, h: h >= 0, BRANCHES),
        (lambda o, x, h: h if h else x, BRANCHES),
        (lambda o, x, h: {h: 1}[h], BRANCHES),
        (lambda o, x, h: 1 - h, f"subtract of 1: {CONSTANTS}"),
        (lambda o, x, h: h - 1.0, f"subtract of 1.0: {CONSTANTS}"),
        (lambda o, x, h: h + 1, f"add of 1: {CONSTANTS}"),
        (lambda o, x, h: 2 * h, f"multiply of 2: {CONSTANTS}"),
        (lambda o, x, h: o.tanh(3), f"tanh of 3: {CONSTANTS}"),
        (lambda o, x, h: o.blend(1, h, h), f"blend of 1: {CONSTANTS}"),
        (lambda o, x, h: o.linear("weight_hh", h), "linear by Value: expected the name of one of "),
        (lambda o, x, h: h + np.ones(H), CONSTANTS),
        (lambda o, x, h: np.ones(H) + h, CONSTANTS),
        (lambda o, x, h: np.float64(2) * h, CONSTANTS),
        (lambda o, x, h: np.tanh(h), "use the operations, as o.tanh(x)"),
        (lambda o, x, h: np.concatenate([h, h]), "use the operations, as o.tanh(x)"),
        (lambda o, x, h: np.asarray(h), "use the operations, as o.tanh(x)"),
        (lambda o, x, h: -h, OPERATORS),
        (lambda o, x, h: h / 2, OPERATORS),
        (lambda o, x, h: h**2, OPERATORS),
        (lambda o, x, h: h[0], "take a part of a value by o.split"),
        (lambda o, x, h: list(h), "take a part of a value by o.split"),
        (lambda o, x, h: o.split(h), "split into (): expected o.split(x, 3) or o.split(x, 2, 1)"),
        (lambda o, x, h: o.split(h, 0), "split into (0,): expected"),
        (lambda o, x, h: o.split(h, 1.5), "split into (1.5,): expected"),
        (lambda o, x, h: o.split(3, 1), f"split of 3: {CONSTANTS}"),
        (lambda o, x, h: o.gelu(h), "unknown operation 'gelu': known are has, linear, shift, "),
        (lambda o, x, h: o.tahn(h), "Did you mean 'tanh'?"),
        (lambda o, x, h: h.foo, "AttributeError: "),
        (lambda o, x, h: {}["gate"], "KeyError: 'gate'"),
        (lambda o, x, h: unheard_of, "NameError: "),  # type: ignore[name-defined]  # noqa: F821
        (
            lambda o, x, h: o.linear(h, "weight_hi"),
            "unknown array 'weight_hi': known are weight_ih, weight_hh, bias_ih. Did you mean 'w",
        ),
        (lambda o, x, h: o.linear(x, "weight_ih", "bias_hi"), "Did you mean 'bias_ih'?"),
        (lambda o, x, h: o.linear(h, np.eye(H)), "linear by ndarray: expected the name of one of "),
        (lambda o, x, h: o.linear(h, "weight_hh", np.ones(H)), "shift by ndarray: expected"),
        (lambda o, x, h: o.scale(h, 3), "scale by int: expected the name of one of weight_ih, "),
        (lambda o, x, h: (h, x), "it returns tuple; expected a value, as o.join(h, c)"),
        (lambda o, x, h: None, "it returns NoneType; expected a value"),
        (lambda o, x, h: x, "it returns 2 numbers; the memory has 4"),
    ],
)  # fmt: skip
def test_steps_that_are_none(compute: Step, reason: str) -> None:
    text = message(cell_of(compute))
    assert text.startswith("cell 'mine', step")
    assert reason in text
    assert len(text) <= 300, "the command line shows no more"


def test_a_mistake_is_told_with_its_line() -> None:
    class Lines(type(cell_of())):  # type: ignore[misc]
        name = "lines"

        def step(self, o: Any, x: Any, memory: Any) -> Any:
            return o.tanh(memory.size)

    line = Lines.step.__code__.co_firstlineno + 1
    text = message(Lines())
    assert text.startswith(f"cell 'lines', step (test_cell_declaration.py, line {line}): Attribute")


def test_a_mistake_in_another_method() -> None:
    text = message(cell_of(parameters=lambda sizes: {"w": (sizes.foo,)}))
    assert text.startswith("cell 'mine', parameters")
    assert "AttributeError: 'Sizes' object has no attribute 'foo'" in text


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize(
    "step", [lambda o, x, h: h, lambda o, x, h: o.tanh(o.linear(h, "weight_hh", "bias_ih"))]
)
def test_a_step_that_ignores_the_input(step: Step, layers: int) -> None:
    assert message(cell_of(step), layers).startswith("cell 'mine': its step ignores the input; ")


@pytest.mark.parametrize("layers", [1, 2])
def test_arrays_that_are_never_read(layers: int) -> None:
    def step(o: Any, x: Any, h: Any) -> Any:
        o.linear(h, "weight_hh")  # recorded, and needed by nothing
        return o.tanh(o.linear(x, "weight_ih", "bias_ih"))

    text = message(cell_of(step), layers)
    assert text.startswith("cell 'mine': its step ignores the array 'weight_hh'; use it, or take i")


def test_a_cell_whose_option_bias_is_off_names_biases_that_it_has_not() -> None:
    def without(sizes: Any) -> Any:
        return {name: shape for name, shape in shapes_of(sizes).items() if "bias" not in name}

    network = Network(cell_of(parameters=without, bias=False), 2, H, 1)
    assert "shift" not in [operation[0] for operation in network.step.operations]
    assert "unknown array 'bias_ih'" in message(cell_of(parameters=without, bias=True))


def test_a_step_that_is_not_the_same_twice() -> None:
    generator = random.Random(3)
    kept: list[Any] = []

    def drawn(o: Any, x: Any, h: Any) -> Any:
        for _ in range(generator.randrange(1000)):
            h = o.tanh(h)
        return usual(o, x, h)

    def keeping(o: Any, x: Any, h: Any) -> Any:
        kept.append(h)
        return usual(o, x, kept[0])

    assert "does something else when it is called again" in message(cell_of(drawn))
    assert "a value of an earlier call: a step keeps nothing" in message(cell_of(keeping))


def test_a_step_that_is_too_long_for_a_file() -> None:
    def long(o: Any, x: Any, h: Any) -> Any:
        wide = o.join(*[o.linear(x, "weight_ih", "bias_ih")] * 70)
        return o.tanh(o.linear(h, "weight_hh") + o.split(o.tanh(wide), 70)[1])

    assert message(cell_of(long)).startswith("cell 'mine': no model file can hold it: step.operat")


def test_initial_weights_that_fail() -> None:
    def initialise(self: Any, arrays: Any, sizes: Any, rng: Any) -> None:
        arrays["weight_xx"][...] = 1

    network = Network(cell_of(initialise=initialise), 2, H, 1)
    with pytest.raises(
        InvalidValueError, match=r"cell 'mine', initialise \(.*: KeyError: 'weight_"
    ):
        network.initial(np.random.default_rng(0))


# ------------------------------------------------------------- the registry


@pytest.fixture
def forget() -> Iterator[None]:
    yield
    sa.registry.CELLS._registered.discard("mine")
    sa.registry.CELLS._loaded.pop("mine", None)


@pytest.mark.parametrize(
    ("name", "entry", "reason"),
    [
        ("nc", dict, "cell 'nc' is the class dict; expected a class of seqarith.Cell"),
        ("nc", 3, "cell 'nc' is int; expected a class of seqarith.Cell"),
        ("", type(cell_of()), "cell '': expected a name of 1 to 80"),
        ("my cell", type(cell_of()), "cell 'my cell': expected a name of 1 to 80"),
        ("mygru", type(cell_of(name="gru")), "the name 'gru' is seqarith's own; choose another"),
        ("mine", type(cell_of(name="")), "cell class Mine: name '': expected a name"),
        ("yours", type(cell_of()), "cell 'yours': its class Mine has the name 'mine'"),
    ],
)
def test_what_cannot_be_registered(name: str, entry: Any, reason: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        sa.registry.CELLS.register(name, entry)
    assert reason in str(caught.value)
    assert name not in sa.registry.CELLS


def test_a_function_may_make_a_cell(forget: None) -> None:
    sa.registry.CELLS.register("mine", cell_of)
    assert TrainingConfig(cell="mine").network.cell.name == "mine"
    sa.registry.CELLS.register("mine", lambda: 3)
    with pytest.raises(
        InvalidValueError, match=r"cell 'mine' makes int; expected an instance of seqarith"
    ):
        TrainingConfig(cell="mine")


@pytest.mark.parametrize("given", [type(cell_of()), cell_of()])
def test_a_class_in_the_place_of_a_name(given: Any) -> None:
    expected = (
        r"expected a name.*call seqarith\.CELLS\.register\('mine', \.\.\.\), then cell='mine'$"
    )
    with pytest.raises(TypeError, match=expected) as caught:
        sa.train("add", cell=given)
    assert "\n" not in str(caught.value)


def test_the_cell_of_a_model_in_the_place_of_a_name(adder: sa.Model) -> None:
    with pytest.raises(TypeError, match=r"cell Elman\(.*: expected a name.*; write cell='elman'$"):
        sa.train("add", cell=adder.network.cell)  # type: ignore[arg-type]


def test_a_value_that_a_cell_refuses(forget: None) -> None:
    @dataclass(frozen=True)
    class Mine(type(cell_of())):  # type: ignore[misc]
        keep: float = 0.5

        def __post_init__(self) -> None:
            if self.keep > 1:
                raise ValueError("keep is at most 1")

    sa.registry.CELLS.register("mine", Mine)
    with pytest.raises(InvalidValueError, match=r"cell 'mine', .*: keep is at most 1"):
        TrainingConfig(cell="mine", cell_options={"keep": 2})


def test_nothing_is_trained_before_a_step_is_refused(forget: None) -> None:
    sa.registry.CELLS.register("mine", type(cell_of(lambda o, x, h: h)))
    with pytest.raises(InvalidValueError, match="ignores the input"):
        TrainingConfig(cell="mine")


def test_a_checkpoint_of_a_cell_that_is_not_here(tmp_path: Path, forget: None) -> None:
    place = tmp_path / "run.npz"
    sa.registry.CELLS.register("mine", type(cell_of()))
    config = TrainingConfig(cell="mine", bits=2, hidden=4, max_steps=2, goal="steps")
    saving = sa.Hooks(checkpoint=lambda checkpoint: checkpoint.save(place), checkpoint_every=1)
    sa.Trainer(config).run(saving)
    sa.registry.CELLS._registered.discard("mine")
    sa.registry.CELLS._loaded.pop("mine")
    with pytest.raises(
        sa.errors.ModelFileError, match=r"install the package that registers it: unknown"
    ):
        sa.Checkpoint.load(place)
