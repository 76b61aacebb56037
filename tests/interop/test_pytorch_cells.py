"""Outputs and gradients are those of PyTorch, with the same weights, to 1e-12 in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from seqarith.network import Network
from seqarith.registry import CELLS

torch = pytest.importorskip("torch")

T, B, D, H, K = 20, 7, 3, 16, 4
MODULES = {"elman": "RNN", "gru": "GRU", "lstm": "LSTM"}


def pytorch(name: str, bias: bool, arrays: dict[str, Any]) -> tuple[Any, Any]:
    """Return PyTorch's module and readout with the arrays of a model file, unmapped."""
    whole = torch.nn.Module()
    whole.rnn = getattr(torch.nn, MODULES[name])(D, H, bias=bias, dtype=torch.float64)
    whole.readout = torch.nn.Linear(H, K, bias=bias, dtype=torch.float64)
    whole.load_state_dict({key: torch.from_numpy(array) for key, array in arrays.items()})
    return whole.rnn, whole.readout


def differences(name: str, bias: bool, seed: int, unrolled: Callable[..., Any]) -> tuple[Any, Any]:
    """Return the largest differences of logits and of gradients, relative to the largest value."""
    rng = np.random.default_rng(seed)
    network = Network(CELLS[name](bias=bias), D, H, K, "float64")
    flat = rng.normal(0, 0.5, network.size)
    inputs, weights = rng.normal(size=(T, B, D)), rng.normal(size=(T, B, K))
    logits, gradient = unrolled(network, flat, inputs, weights)
    kernels, slopes = network.trainable(), network.trainable()
    kernels.flat[...], slopes.flat[...] = flat, gradient
    rnn, readout = pytorch(name, bias, network.export(network.unpack(kernels)))
    theirs = readout(rnn(torch.from_numpy(inputs))[0])
    theirs.backward(torch.from_numpy(weights))
    found = {f"rnn.{key}": p.grad.numpy() for key, p in rnn.named_parameters()}
    found |= {f"readout.{key}": p.grad.numpy() for key, p in readout.named_parameters()}
    mine = network.export(network.unpack(slopes))
    if bias:
        # Two biases that act as their sum have one gradient; a GRU's third block has its own.
        apart = 2 * H if name == "gru" else len(mine["rnn.bias_hh_l0"])
        np.testing.assert_array_equal(mine["rnn.bias_hh_l0"][:apart], 0)
        mine["rnn.bias_hh_l0"][:apart] = mine["rnn.bias_ih_l0"][:apart]
    assert mine.keys() == found.keys()
    values = theirs.detach().numpy()
    return (
        np.abs(logits - values).max() / np.abs(values).max(),
        max(np.abs(mine[key] - found[key]).max() / np.abs(found[key]).max() for key in mine),
    )


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("name", list(MODULES))
def test_outputs_and_gradients_are_those_of_pytorch(
    name: str, bias: bool, seed: int, unrolled: Callable[..., Any]
) -> None:
    by_value, by_gradient = differences(name, bias, seed, unrolled)
    print(f"{name} {bias} {seed}: outputs {by_value:.1e}, gradients {by_gradient:.1e}")
    assert by_value < 1e-12
    assert by_gradient < 1e-12
