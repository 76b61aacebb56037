"""The contract of a cell, for every entry of the registry with each of its options."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, sqrt, tanh
from typing import Any

import numpy as np
import pytest

from seqarith.cells.activations import ACTIVATIONS, activation, run, sigmoid
from seqarith.cells.elman import Elman
from seqarith.cells.tapes.elman import INPUT_BOUND
from seqarith.cells.tapes.training import Extent
from seqarith.errors import InvalidValueError
from seqarith.network import InferencePass, Network
from seqarith.network.unroll import Unroll
from seqarith.registry import CELLS

OPTIONS: dict[str, list[dict[str, Any]]] = {
    name: [
        {"activation": kind, "bias": bias}
        for kind in ("tanh", "sigmoid", "relu")
        for bias in (True, False)
    ]
    for name in ("elman", "jordan")
}
CASES = [
    (name, options, layers)
    for name in CELLS
    for options in OPTIONS.get(name, [{}, {"bias": False}])
    for layers in (1, 2)
]
T, B, D, H, K = 5, 3, 2, 4, 2


@pytest.fixture(params=CASES, ids=str)
def network(request: pytest.FixtureRequest) -> Network:
    name, options, layers = request.param
    return Network(CELLS[name](**options), D, H, K, "float64", layers=layers)


@pytest.fixture
def flat(network: Network) -> Any:
    return np.random.default_rng(1).normal(0, 0.8, network.size)


@pytest.fixture
def inputs() -> Any:
    return np.random.default_rng(2).normal(0, 1, (T, B, D))


def test_gradients_are_those_of_finite_differences(
    network: Network, flat: Any, inputs: Any, unrolled: Callable[..., Any]
) -> None:
    weights = np.random.default_rng(3).normal(size=(T, B, K))

    def value(at: Any) -> float:
        return float((unrolled(network, at, inputs)[0] * weights).sum())

    _, gradient = unrolled(network, flat, inputs, weights)
    assert gradient.shape == flat.shape
    for place in range(network.size):
        moved = np.zeros_like(flat)
        moved[place] = 1e-5
        slope = (value(flat + moved) - value(flat - moved)) / 2e-5
        assert gradient[place] == pytest.approx(slope, rel=2e-6, abs=1e-8)


def test_losses_may_see_the_whole_memory(network: Network, flat: Any, inputs: Any) -> None:
    """The gradient of a weighted sum of all memories, against finite differences."""
    extra = network.memory - H
    by_hidden = np.random.default_rng(20).normal(size=(T, H, B))
    by_rest = np.random.default_rng(21).normal(size=(T, extra, B))

    def run_tape(at: Any) -> tuple[float, Any]:
        parameters, gradients = network.trainable(), network.trainable()
        parameters.flat[...] = at
        extent = Extent(T, B, D, H)
        tape = network.training.tape(parameters.arrays, gradients.arrays, extent)
        tape.inputs[...] = inputs
        run([operation for t in range(T) for operation in tape.step(t)])
        assert tape.rest.shape == (T, extra, B)
        value = float((tape.hidden * by_hidden).sum() + (tape.rest * by_rest).sum())
        tape.hidden_gradient[...] = by_hidden
        tape.rest_gradient()[...] = by_rest
        run([operation for t in reversed(range(T)) for operation in tape.step_back(t)])
        run(tape.finish())
        return value, gradients.flat

    _, gradient = run_tape(flat)
    for place in range(0, network.size - (H + network.cell.bias) * K, 7):
        moved = np.zeros_like(flat)
        moved[place] = 1e-5
        slope = (run_tape(flat + moved)[0] - run_tape(flat - moved)[0]) / 2e-5
        assert gradient[place] == pytest.approx(slope, rel=2e-6, abs=1e-8)


def test_every_parameter_matters(
    network: Network, flat: Any, inputs: Any, unrolled: Callable[..., Any]
) -> None:
    _, gradient = unrolled(network, flat, inputs, np.ones((T, B, K)))
    # A unit that is 0 for all words has no slope.
    dead = getattr(network.cell, "activation", "") == "relu"
    assert (gradient != 0).mean() > 0.4 if dead else (gradient != 0).all()


def test_a_batch_is_as_one_by_one(
    network: Network, flat: Any, inputs: Any, unrolled: Callable[..., Any]
) -> None:
    weights = np.random.default_rng(4).normal(size=(T, B, K))
    logits, gradient = unrolled(network, flat, inputs, weights)
    alone = [unrolled(network, flat, inputs[:, b : b + 1], weights[:, b : b + 1]) for b in range(B)]
    for b in range(B):
        np.testing.assert_allclose(logits[:, b], alone[b][0][:, 0], rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(gradient, sum(g for _, g in alone), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("changed", range(T))
def test_an_output_does_not_see_later_letters(
    network: Network, flat: Any, inputs: Any, unrolled: Callable[..., Any], changed: int
) -> None:
    before, _ = unrolled(network, flat, inputs)
    later = inputs.copy()
    later[changed:] += 1
    after, _ = unrolled(network, flat, later)
    assert after[:changed].tobytes() == before[:changed].tobytes()
    differs = after[changed] != before[changed]
    if getattr(network.cell, "activation", "") == "relu":
        assert differs.any(), "units that are 0 hide the change in some words"
    else:
        assert differs.all()


def test_training_and_inference_run_the_same_recurrence(
    network: Network, flat: Any, unrolled: Callable[..., Any]
) -> None:
    rng = np.random.default_rng(5)
    vectors = rng.normal(size=(7, D))
    letters = rng.integers(7, size=(T, B))
    logits, _ = unrolled(network, flat, vectors[letters])
    parameters = network.trainable()
    parameters.flat[...] = flat
    program = InferencePass(network, network.unpack(parameters), vectors)
    for t, step in enumerate(program.run(letters)):
        np.testing.assert_allclose(step, logits[t], rtol=1e-12, atol=1e-13)


def test_branching_is_stepping(network: Network, flat: Any) -> None:
    parameters = network.trainable()
    parameters.flat[...] = flat
    vectors = np.random.default_rng(6).normal(size=(5, D))
    program = InferencePass(network, network.unpack(parameters), vectors)
    memory = program.step(program.start(3), np.array([0, 1, 2]))
    assert memory.shape == (3, network.memory)
    branches = program.branch(memory, (4, 1))
    for row, letter in zip(branches, (4, 1), strict=True):
        alone = program.step(memory, np.full(3, letter))
        np.testing.assert_allclose(row, alone, rtol=1e-12, atol=1e-13)


def test_networks_side_by_side_are_as_one_by_one(
    network: Network, inputs: Any, unrolled: Callable[..., Any]
) -> None:
    rng = np.random.default_rng(7)
    many = 3
    flats = rng.normal(0, 0.8, (many, network.size))
    stacked = np.stack([inputs * (s + 1) for s in range(many)])
    weights = rng.normal(size=(many, T, B, K))
    logits, gradients = unrolled(network, flats, stacked, weights)
    for s in range(many):
        alone, gradient = unrolled(network, flats[s], stacked[s], weights[s])
        np.testing.assert_allclose(logits[s], alone, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(gradients[s], gradient, rtol=1e-11, atol=1e-12)


def test_a_pass_leaves_nothing_behind_for_the_next(
    network: Network, flat: Any, inputs: Any
) -> None:
    parameters, gradients = network.trainable(), network.trainable()
    parameters.flat[...] = flat
    unroll = Unroll(network, parameters, gradients, T, B)
    seen = []
    for scale in (1.0, -3.0, 1.0):
        unroll.inputs[...] = inputs * scale
        logits, backward = unroll.forward()
        unroll.logit_gradient[...] = scale
        backward()
        seen.append((logits.tobytes(), gradients.flat.tobytes()))
    assert seen[0] == seen[2]
    assert seen[0] != seen[1]


def test_export_and_absorb(network: Network, flat: Any) -> None:
    kernels = network.trainable()
    kernels.flat[...] = flat
    parameters = network.unpack(kernels)
    arrays = network.export(parameters)
    assert {name: array.shape for name, array in arrays.items()} == network.exported_shapes()
    assert all(array.flags.c_contiguous for array in arrays.values())
    assert network.absorb(arrays).flat.tobytes() == parameters.flat.tobytes()
    assert network.pack(parameters).flat.tobytes() == kernels.flat.tobytes()
    # A copy: what was exported does not change with the parameters.
    kept = {name: array.copy() for name, array in arrays.items()}
    parameters.flat[...] = 0
    assert all((arrays[name] == kept[name]).all() for name in kept)


def test_initial_weights(network: Network) -> None:
    first = network.initial(np.random.default_rng(8)).flat
    assert first.tobytes() == network.initial(np.random.default_rng(8)).flat.tobytes()
    assert first.tobytes() != network.initial(np.random.default_rng(9)).flat.tobytes()
    assert (first != 0).all()


# ------------------------------------------------------------- Elman


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
@pytest.mark.parametrize("bias", [True, False])
def test_elman_is_its_equation(name: str, bias: bool) -> None:
    """Number by number in plain Python, from the arrays of the model file as PyTorch reads them."""
    network = Network(Elman(name, bias), D, H, K, "float64")
    parameters = network.trainable()
    parameters.flat[...] = np.random.default_rng(10).normal(size=network.size)
    exported = network.export(network.unpack(parameters))
    arrays = {key: array.tolist() for key, array in exported.items()}
    squash = tanh if name == "tanh" else lambda x: 1 / (1 + exp(-x))
    zero = [0.0] * H
    offsets = [
        i + h
        for i, h in zip(
            arrays.get("rnn.bias_ih_l0", zero), arrays.get("rnn.bias_hh_l0", zero), strict=True
        )
    ]
    vectors = np.random.default_rng(11).normal(size=(4, D))
    letters = np.array([[2], [0], [3], [3], [1]])
    hidden = zero
    program = InferencePass(network, network.unpack(parameters), vectors)
    for letter, logits in zip(letters[:, 0], program.run(letters), strict=True):
        x = vectors[letter].tolist()
        hidden = [
            squash(
                sum(w * v for w, v in zip(arrays["rnn.weight_ih_l0"][j], x, strict=True))
                + sum(w * v for w, v in zip(arrays["rnn.weight_hh_l0"][j], hidden, strict=True))
                + offsets[j]
            )
            for j in range(H)
        ]
        expected = [
            sum(w * h for w, h in zip(arrays["readout.weight"][k], hidden, strict=True))
            + (arrays["readout.bias"][k] if bias else 0)
            for k in range(K)
        ]
        assert logits[0].tolist() == pytest.approx(expected, rel=1e-12)


def test_elman_has_the_names_and_shapes_of_pytorch() -> None:
    shapes = Network(Elman(), 2, 16, 1).exported_shapes()
    assert shapes == {
        "rnn.weight_ih_l0": (16, 2),
        "rnn.weight_hh_l0": (16, 16),
        "rnn.bias_ih_l0": (16,),
        "rnn.bias_hh_l0": (16,),
        "readout.weight": (1, 16),
        "readout.bias": (1,),
    }
    bare = Network(Elman(bias=False), 2, 16, 1).exported_shapes()
    assert set(bare) == {"rnn.weight_ih_l0", "rnn.weight_hh_l0", "readout.weight"}


def test_elman_draws_within_its_bounds() -> None:
    network = Network(Elman(), 2, 25, 3, "float64")
    arrays = network.export(network.unpack(network.initial(np.random.default_rng(12))))
    bound = 1 / sqrt(25)
    limits = {
        "rnn.weight_hh_l0": bound,
        "readout.weight": bound,
        "rnn.weight_ih_l0": INPUT_BOUND * bound,
        "rnn.bias_ih_l0": INPUT_BOUND * bound,
    }
    for name, limit in limits.items():
        assert 0.8 * limit < np.abs(arrays[name]).max() <= limit


def test_elman_draws_no_input_weight_beyond_two() -> None:
    network = Network(Elman(), 2, 4, 1, "float64")
    arrays = network.export(network.unpack(network.initial(np.random.default_rng(12))))
    assert 1 < np.abs(arrays["rnn.weight_ih_l0"]).max() <= 2


def test_noise_reaches_the_next_step_and_the_readout_alone(
    network: Network, flat: Any, inputs: Any
) -> None:
    """By the inference pass, one step at a time, with the noise added to its hidden vectors."""
    parameters = network.trainable()
    parameters.flat[...] = flat
    unroll = Unroll(network, parameters, network.trainable(), T, B, noisy=True)
    unroll.inputs[...] = inputs
    assert unroll.noise is not None
    unroll.noise[:, :H] = np.random.default_rng(4).normal(size=(T, H, B))
    logits, _ = unroll.forward()
    for b in range(B):
        program = InferencePass(network, network.unpack(parameters), inputs[:, b])
        memory = program.start(1)
        for t in range(T):
            memory = program.step(memory, np.array([t]))
            assert np.allclose(unroll.clean[t, :, b], memory[0, :H], atol=1e-6)
            memory[:, :H] += unroll.noise[t, :H, b]
            assert np.allclose(logits.reshape(T, B, K)[t, b], program.logits(memory)[0], atol=1e-6)


def test_gradients_with_noise_are_those_of_finite_differences(
    network: Network, flat: Any, inputs: Any
) -> None:
    rng = np.random.default_rng(5)
    parameters, gradients = network.trainable(), network.trainable()
    unroll = Unroll(network, parameters, gradients, T, B, noisy=True, penalised=True)
    unroll.inputs[...] = inputs
    assert unroll.noise is not None
    unroll.noise[...] = rng.normal(size=unroll.noise.shape)
    by_logits, by_clean = rng.normal(size=(T * B, K)), rng.normal(size=(T, H, B))

    def value(at: Any) -> float:
        parameters.flat[...] = at
        logits = unroll.forward()[0]
        return float((logits * by_logits).sum() + (unroll.clean * by_clean).sum())

    def penalty() -> None:
        unroll.hidden_gradient[...] += by_clean

    parameters.flat[...] = flat
    _, backward = unroll.forward()
    unroll.logit_gradient[...] = by_logits
    backward(penalty)
    for place in range(0, network.size, 3):
        moved = np.zeros_like(flat)
        moved[place] = 1e-5
        slope = (value(flat + moved) - value(flat - moved)) / 2e-5
        assert gradients.flat[place] == pytest.approx(slope, rel=2e-6, abs=1e-8)


def test_elman_refuses_another_activation() -> None:
    with pytest.raises(InvalidValueError, match=r"unknown activation 'tahn'.*'tanh'\?"):
        Elman("tahn")


# ------------------------------------------------------------- activations


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_activations_and_their_slopes(name: str, dtype: str) -> None:
    function = {"tanh": tanh, "sigmoid": lambda x: 1 / (1 + exp(-x))}[name]
    numbers = [-30.0, -2.5, -1.0, -0.1, 0.0, 0.3, 1.0, 4.0, 30.0]
    x = np.array(numbers, dtype)
    tolerance = 1e-6 if dtype == "float32" else 1e-14
    kind = activation(name, np.dtype(dtype))
    y, slope = np.empty_like(x), np.empty_like(x)
    run(kind.value(x, y))
    run(kind.derivative(y, slope))
    assert y.tolist() == pytest.approx([function(float(v)) for v in x], abs=tolerance)
    slopes = [(function(v + 1e-5) - function(v - 1e-5)) / 2e-5 for v in numbers]
    assert slope.tolist() == pytest.approx(slopes, abs=max(tolerance, 1e-9))
    scaled = x * x.dtype.type(kind.scale)
    run(kind.of_scaled(scaled, scaled))
    assert scaled.tobytes() == y.tobytes()
    run(kind.value(x, x))
    assert x.tobytes() == y.tobytes()


def test_sigmoid_cannot_overflow() -> None:
    assert sigmoid(np.array([-1e30, 1e30, 0.0], np.float32)).tolist() == [0, 1, 0.5]
    out = np.empty(1)
    assert sigmoid(np.zeros(1), out) is out


# ------------------------------------------------------------- GRU and LSTM


def rows_of(arrays: dict[str, Any], kind: str, gate: int) -> Any:
    """Return a gate's rows of PyTorch's stacked arrays, as lists."""
    stacked = arrays.get(f"rnn.{kind}_l0", np.zeros(4 * H))
    return stacked[gate * H : (gate + 1) * H].tolist()


def affine(weights: Any, offsets: Any, vector: list[float]) -> list[float]:
    """Return W v + b, number by number."""
    return [
        sum(w * v for w, v in zip(row, vector, strict=True)) + offset
        for row, offset in zip(weights, offsets, strict=True)
    ]


def logistic(x: float) -> float:
    return 1 / (1 + exp(-x))


def gru_step(arrays: Any, x: list[float], memory: list[float]) -> list[float]:
    """Return h' of a GRU as PyTorch's documentation writes it: gates r, z, n."""
    inner, outer = [], []
    for gate in range(3):
        inner.append(
            affine(rows_of(arrays, "weight_ih", gate), rows_of(arrays, "bias_ih", gate), x)
        )
        outer.append(
            affine(rows_of(arrays, "weight_hh", gate), rows_of(arrays, "bias_hh", gate), memory)
        )
    after = []
    for j in range(H):
        r, z = (logistic(inner[gate][j] + outer[gate][j]) for gate in (0, 1))
        n = tanh(inner[2][j] + r * outer[2][j])
        after.append((1 - z) * n + z * memory[j])
    return after


def lstm_step(arrays: Any, x: list[float], memory: list[float]) -> list[float]:
    """Return [h', c'] of an LSTM as PyTorch's documentation writes it: gates i, f, g, o."""
    gates = []
    for gate, squash in enumerate((logistic, logistic, tanh, logistic)):
        inner = affine(rows_of(arrays, "weight_ih", gate), rows_of(arrays, "bias_ih", gate), x)
        outer = affine(
            rows_of(arrays, "weight_hh", gate), rows_of(arrays, "bias_hh", gate), memory[:H]
        )
        gates.append([squash(a + b) for a, b in zip(inner, outer, strict=True)])
    i, f, g, o = gates
    cell = [f[j] * memory[H + j] + i[j] * g[j] for j in range(H)]
    return [o[j] * tanh(cell[j]) for j in range(H)] + cell


@pytest.mark.parametrize(("name", "step"), [("gru", gru_step), ("lstm", lstm_step)])
@pytest.mark.parametrize("bias", [True, False])
def test_gated_cells_are_their_equations(name: str, step: Any, bias: bool) -> None:
    network = Network(CELLS[name](bias=bias), D, H, K, "float64")
    rng = np.random.default_rng(13)
    arrays = {key: rng.normal(size=shape) for key, shape in network.exported_shapes().items()}
    parameters = network.absorb(arrays)  # both biases at once, as PyTorch's files hold them
    vectors = rng.normal(size=(4, D))
    program = InferencePass(network, parameters, vectors)
    memory, expected = program.start(1), [0.0] * network.memory
    for letter in (2, 0, 3, 3, 1):
        memory = program.step(memory, np.array([letter]))
        expected = step(arrays, vectors[letter].tolist(), expected)
        assert memory[0].tolist() == pytest.approx(expected, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize(("name", "gates"), [("gru", 3), ("lstm", 4)])
def test_gated_cells_have_the_names_and_shapes_of_pytorch(name: str, gates: int) -> None:
    shapes = Network(CELLS[name](), 2, 16, 1).exported_shapes()
    assert shapes == {
        "rnn.weight_ih_l0": (gates * 16, 2),
        "rnn.weight_hh_l0": (gates * 16, 16),
        "rnn.bias_ih_l0": (gates * 16,),
        "rnn.bias_hh_l0": (gates * 16,),
        "readout.weight": (1, 16),
        "readout.bias": (1,),
    }
    bare = Network(CELLS[name](bias=False), 2, 16, 1).exported_shapes()
    assert set(bare) == {"rnn.weight_ih_l0", "rnn.weight_hh_l0", "readout.weight"}


@pytest.mark.parametrize("name", ["gru", "lstm"])
def test_gated_cells_draw_within_their_bounds(name: str) -> None:
    network = Network(CELLS[name](), 2, 25, 3, "float64")
    arrays = network.export(network.unpack(network.initial(np.random.default_rng(14))))
    bound = 1 / sqrt(25)
    for key in ("rnn.weight_hh_l0", "rnn.bias_ih_l0", "readout.weight"):
        assert 0.8 * bound < np.abs(arrays[key]).max() <= bound
    assert bound < np.abs(arrays["rnn.weight_ih_l0"]).max() <= 4 * bound


def test_the_memory_of_an_lstm_begins_with_its_hidden_vector() -> None:
    assert {name: CELLS[name]().width(H) for name in ("elman", "gru", "lstm")} == {
        "elman": H,
        "gru": H,
        "lstm": 2 * H,
    }


@pytest.mark.parametrize("name", ["gru", "lstm"])
def test_gated_cells_refuse_a_bias_that_is_no_truth_value(name: str) -> None:
    with pytest.raises(InvalidValueError, match="bias 1: expected true or false"):
        CELLS[name](bias=1)


@pytest.mark.parametrize("task", ["add", "sub"])
@pytest.mark.parametrize("name", ["gru", "lstm"])
def test_gated_cells_learn(name: str, task: str) -> None:
    import seqarith as sa

    result = sa.train(task, cell=name, bits=6, seed=3, goal="exact")
    assert result.reached
    assert result.evaluation.checked == 4096
