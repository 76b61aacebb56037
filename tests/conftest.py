"""Fixtures that many modules share: hand-made networks, and one trained model."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

import seqarith as sa
from seqarith.cells.elman import Elman
from seqarith.network import Network
from seqarith.network.unroll import Unroll
from seqarith.tasks.builtin.addition import add
from seqarith.tasks.task import Task

settings.register_profile(
    "suite",
    deadline=None,
    max_examples=60,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("suite")


def build_adder(
    base: int = 2, operands: int = 2, dtype: str = "float64", steepness: float = 40.0
) -> sa.Model:
    """Return an adder whose weights were written by hand, exact at every width.

    Hidden unit k is a steep sigmoid that says whether digits + carry >= k, for k = 1, 2, ...
    The carry is the sum of the units base, 2 base, ...; the digit is the sum of all units less
    base times the carry. For base 2 and two operands: u1 - u2 + u3. With more symbols than two
    logit d is 2 d digit - d**2, which is largest where d is the digit.
    """
    task = add(base, operands)
    levels = operands * (base - 1) + operands - 1
    carry = np.array([k % base == 0 for k in range(1, levels + 1)], dtype)
    digit = 1 - base * carry
    worth = np.ones(operands) if base == 2 else np.tile(np.arange(base), operands)
    outputs = 1 if base == 2 else base
    network = Network(Elman("sigmoid"), task.inputs, levels, outputs, dtype)
    if outputs == 1:
        readout, readout_bias = 20 * digit[None, :], np.array([-10.0])
    else:
        symbols = np.arange(base)
        readout, readout_bias = 2.0 * symbols[:, None] * digit, -1.0 * symbols**2
    parameters = network.absorb(
        {
            "rnn.weight_ih_l0": steepness * np.tile(worth, (levels, 1)),
            "rnn.weight_hh_l0": steepness * np.tile(carry, (levels, 1)),
            "rnn.bias_ih_l0": -steepness * (np.arange(1, levels + 1) - 0.5),
            "rnn.bias_hh_l0": np.zeros(levels),
            "readout.weight": readout,
            "readout.bias": readout_bias,
        }
    )
    return sa.Model(task, network, parameters)


def build_solved(task: Task, dtype: str = "float64") -> sa.Model:
    """Return a network that equals the machine of a task, its weights written by hand.

    Unit (q, a) is a steep sigmoid that fires where the machine was in state q and reads letter a:
    where all units of transitions into q, one of which fires, and the digits of a add up. Before
    the first letter none fires, which counts as the initial state.
    """
    machine = task.machine
    assert machine is not None
    states, letters = machine.next_state.shape
    units, steep = states * letters, 60.0
    arrives = np.eye(states)[machine.next_state.ravel()]  # (units, Q): the state after a unit
    of_state, of_letter = np.repeat(np.arange(states), letters), np.tile(np.arange(letters), states)
    recurrent = arrives.T[of_state]  # (units, units): 1 from the units that lead into q
    first = of_state == machine.initial
    recurrent[first] -= 1  # no unit at all, or one that leads there: 0; another one: -1
    vectors = task.vectors.astype(float)
    inputs = (2 * vectors - 1)[of_letter] if task.base == 2 else vectors[of_letter]
    needed = vectors.sum(axis=1)[of_letter] if task.base == 2 else np.full(units, task.operands)
    symbols = machine.output.ravel()
    outputs = task.outputs
    readout = 40.0 * np.eye(outputs)[symbols].T
    network = Network(Elman("sigmoid"), task.inputs, units, outputs, dtype)
    arrays = {
        "rnn.weight_ih_l0": steep * inputs,
        "rnn.weight_hh_l0": steep * recurrent,
        "rnn.bias_ih_l0": -steep * (needed + np.where(first, 0, 1) - 0.5),
        "rnn.bias_hh_l0": np.zeros(units),
        "readout.weight": readout,
        "readout.bias": np.zeros(outputs),
    }
    return sa.Model(task, network, network.absorb(arrays))


def build_wrong_adder(dtype: str = "float64") -> sa.Model:
    """Return an adder that forgets its third unit: 1 + 1 + carry gives 0 instead of 1."""
    right = build_adder(dtype=dtype)
    arrays = right.network.export(right.parameters)
    arrays["readout.weight"][0, 2] = 0
    return sa.Model(right.task, right.network, right.network.absorb(arrays))


def build_random(
    task: Task, seed: int, dtype: str = "float64", hidden: int = 5, outputs: int | None = None
) -> sa.Model:
    """Return a model with random weights, large enough that it errs in many ways."""
    if outputs is None:
        outputs = 1 if task.outputs == 2 else task.outputs
    network = Network(Elman("tanh"), task.inputs, hidden, outputs, dtype)
    kernels = network.trainable()
    kernels.flat[...] = np.random.default_rng(seed).normal(0, 1.5, network.size)
    return sa.Model(task, network, network.unpack(kernels))


def run_unrolled(
    network: Network,
    flat: Any,
    inputs: Any,
    logit_gradient: Any = None,
) -> tuple[Any, Any]:
    """Return the logits (..., T, B, K), and the gradient by the parameters where asked for."""
    leading = flat.shape[:-1]
    parameters, gradients = network.trainable(leading), network.trainable(leading)
    parameters.flat[...] = flat
    gradients.flat[...] = np.nan  # whatever is not written shows
    steps, batch = inputs.shape[-3:-1]
    unroll = Unroll(network, parameters, gradients, steps, batch)
    unroll.inputs[...] = inputs
    logits, backward = unroll.forward()
    shaped = logits.reshape(*leading, steps, batch, network.outputs).copy()
    if logit_gradient is None:
        return shaped, None
    unroll.logit_gradient[...] = logit_gradient.reshape(unroll.logit_gradient.shape)
    backward()
    return shaped, gradients.flat.copy()


@pytest.fixture(scope="session")
def make_adder() -> Callable[..., sa.Model]:
    return build_adder


@pytest.fixture(scope="session")
def make_random() -> Callable[..., sa.Model]:
    return build_random


@pytest.fixture(scope="session")
def unrolled() -> Callable[..., tuple[Any, Any]]:
    return run_unrolled


@pytest.fixture(scope="session")
def solved() -> Callable[..., sa.Model]:
    return build_solved


@pytest.fixture(scope="session")
def adder() -> sa.Model:
    return build_adder()


@pytest.fixture(scope="session")
def wrong_adder() -> sa.Model:
    return build_wrong_adder()


@pytest.fixture(scope="session")
def trained() -> sa.Run:
    """What the default settings give for addition."""
    return sa.train("add", bits=8, seed=0)


@pytest.fixture
def adder_file(adder: sa.Model, tmp_path: Path) -> Path:
    path = tmp_path / "adder.npz"
    adder.save(path)
    return path


@pytest.fixture
def wrong_file(wrong_adder: sa.Model, tmp_path: Path) -> Path:
    path = tmp_path / "wrong.npz"
    wrong_adder.save(path)
    return path


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """The environment of a subprocess: one thread, and nothing that changes what is printed."""
    hidden = ("PYTHONWARNINGS", "NO_COLOR", "FORCE_COLOR")
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    return {**kept, "OPENBLAS_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}


@pytest.fixture
def shell(
    tmp_path: Path, environment: dict[str, str]
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run ``python -m seqarith`` in an empty folder."""

    def run(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "seqarith", *arguments],
            cwd=options.pop("cwd", tmp_path),
            env={**environment, **options.pop("env", {})},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            **options,
        )

    return run
