"""Training steps in JAX: one compiled function, `scan` over the steps, optax, donated buffers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from peers.case import CLIP, RATE, Batch, Case, Weights

Tree = dict[str, jax.Array]


def _elman(gates: jax.Array, weights: Tree, memory: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
    return (jnp.tanh(gates + memory[0] @ weights["recurrent"]),)


def _gru(gates: jax.Array, weights: Tree, memory: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
    (before,) = memory
    r, z, n = jnp.split(gates, 3, 1)
    by_r, by_z, by_n = jnp.split(before @ weights["recurrent"], 3, 1)
    keep = jax.nn.sigmoid(z + by_z)
    candidate = jnp.tanh(n + jax.nn.sigmoid(r + by_r) * (by_n + weights["inner"]))
    return (candidate + keep * (before - candidate),)


def _lstm(gates: jax.Array, weights: Tree, memory: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
    before, cell = memory
    write, keep, candidate, out = jnp.split(gates + before @ weights["recurrent"], 4, 1)
    cell = jax.nn.sigmoid(keep) * cell + jax.nn.sigmoid(write) * jnp.tanh(candidate)
    return jax.nn.sigmoid(out) * jnp.tanh(cell), cell


CELLS = {"elman": _elman, "gru": _gru, "lstm": _lstm}


class JAX:
    """A training step.

    Args:
        case: Shapes and weights.
        unroll: Steps that the compiler sees at once.
    """

    def __init__(self, case: Case, unroll: int = 1) -> None:
        self._case = case
        self._optimizer = optax.chain(optax.clip_by_global_norm(CLIP), optax.adam(RATE))
        self._weights = self._from(case.weights())
        self._state = self._optimizer.init(self._weights)
        self._step: Callable[..., Any] = jax.jit(self._make(unroll), donate_argnums=(0, 1))
        self._done = 0

    def _make(self, unroll: int) -> Callable[..., Any]:
        case, cell, optimizer = self._case, CELLS[self._case.cell], self._optimizer
        memories = 2 if case.cell == "lstm" else 1

        def loss(weights: Tree, inputs: jax.Array, targets: jax.Array) -> jax.Array:
            gates = inputs @ weights["input"] + weights["bias"]
            start = (jnp.zeros((case.batch, case.hidden)),) * memories

            def move(memory: Any, projected: jax.Array) -> tuple[Any, jax.Array]:
                memory = cell(projected, weights, memory)
                return memory, memory[0]

            hidden = jax.lax.scan(move, start, gates, unroll=unroll)[1]
            logits = hidden @ weights["readout"] + weights["shift"]
            return optax.sigmoid_binary_cross_entropy(logits.reshape(-1, 1), targets).mean()

        def step(weights: Tree, state: Any, inputs: jax.Array, targets: jax.Array) -> Any:
            gradient = jax.grad(loss)(weights, inputs, targets)
            updates, state = optimizer.update(gradient, state, weights)
            return optax.apply_updates(weights, updates), state

        return step

    def _from(self, weights: Weights) -> Tree:
        beside, hidden = weights["rnn.bias_hh_l0"], self._case.hidden
        inner = {}
        if self._case.cell == "gru":
            inner = {"inner": beside[2 * hidden :]}
            beside = np.where(np.arange(3 * hidden) < 2 * hidden, beside, 0)
        arrays = {
            "input": weights["rnn.weight_ih_l0"].T,
            "recurrent": weights["rnn.weight_hh_l0"].T,
            "bias": weights["rnn.bias_ih_l0"] + beside,
            "readout": weights["readout.weight"].T,
            "shift": weights["readout.bias"],
            **inner,
        }
        return {name: jnp.array(array) for name, array in arrays.items()}

    def prepare(self, batch: Batch) -> tuple[jax.Array, jax.Array]:
        return jnp.array(batch[0]), jnp.array(batch[1])

    def run(self, batches: list[tuple[jax.Array, jax.Array]], steps: int) -> None:
        for _ in range(steps):
            batch = batches[self._done % len(batches)]
            self._weights, self._state = self._step(self._weights, self._state, *batch)
            self._done += 1
        jax.block_until_ready(self._weights)

    def weights(self) -> Weights:
        found = {name: np.array(array) for name, array in self._weights.items()}
        beside = np.zeros_like(found["bias"])
        if "inner" in found:
            beside[2 * self._case.hidden :] = found["inner"]
        return {
            "rnn.weight_ih_l0": found["input"].T,
            "rnn.weight_hh_l0": found["recurrent"].T,
            "rnn.bias_ih_l0": found["bias"],
            "rnn.bias_hh_l0": beside,
            "readout.weight": found["readout"].T,
            "readout.bias": found["shift"],
        }
