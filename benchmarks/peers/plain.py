"""A training step as tutorials write it: one position at a time, nothing reused."""

from __future__ import annotations

import numpy as np

from peers.case import CLIP, RATE, Batch, Case, Weights

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


class Plain:
    """An Elman network with tanh, one word a step; the equations in their order."""

    def __init__(self, case: Case) -> None:
        weights = case.weights()
        self._weights = {
            "input": weights["rnn.weight_ih_l0"].T,
            "hidden": weights["rnn.weight_hh_l0"].T,
            "bias": weights["rnn.bias_ih_l0"],
            "readout": weights["readout.weight"].T,
            "shift": weights["readout.bias"],
        }
        self._mean = {name: np.zeros_like(w) for name, w in self._weights.items()}
        self._square = {name: np.zeros_like(w) for name, w in self._weights.items()}
        self._done = 0

    def prepare(self, batch: Batch) -> Batch:
        return batch

    def run(self, batches: list[Batch], steps: int) -> None:
        for _ in range(steps):
            inputs, targets = batches[self._done % len(batches)]
            self._done += 1
            self._update(self._gradient(inputs, targets))

    def _gradient(self, inputs: np.ndarray, targets: np.ndarray) -> Weights:
        w, count = self._weights, np.float32(len(inputs))
        hiddens, outputs = [np.zeros_like(w["hidden"][:1])], []
        for x in inputs:
            hidden = np.tanh(x @ w["input"] + hiddens[-1] @ w["hidden"] + w["bias"])
            outputs.append(1 / (1 + np.exp(-(hidden @ w["readout"] + w["shift"]))))
            hiddens.append(hidden)
        gradient = {name: np.zeros_like(weight) for name, weight in w.items()}
        later = np.zeros_like(hiddens[0])
        for t in reversed(range(len(inputs))):
            missing = (outputs[t] - targets[t]) / count
            gradient["readout"] += hiddens[t + 1].T @ missing
            gradient["shift"] += missing[0]
            later = (later + missing @ w["readout"].T) * (1 - hiddens[t + 1] ** 2)
            gradient["input"] += inputs[t].T @ later
            gradient["hidden"] += hiddens[t].T @ later
            gradient["bias"] += later[0]
            later = later @ w["hidden"].T
        return gradient

    def _update(self, gradient: Weights) -> None:
        norm = np.sqrt(sum((g**2).sum() for g in gradient.values()))
        for name, weight in self._weights.items():
            g = gradient[name] * min(1.0, CLIP / norm)
            self._mean[name] = BETA1 * self._mean[name] + (1 - BETA1) * g
            self._square[name] = BETA2 * self._square[name] + (1 - BETA2) * g**2
            mean = self._mean[name] / (1 - BETA1**self._done)
            square = self._square[name] / (1 - BETA2**self._done)
            self._weights[name] = weight - RATE * mean / (np.sqrt(square) + EPSILON)

    def weights(self) -> Weights:
        w = self._weights
        return {
            "rnn.weight_ih_l0": w["input"].T,
            "rnn.weight_hh_l0": w["hidden"].T,
            "rnn.bias_ih_l0": w["bias"],
            "rnn.bias_hh_l0": np.zeros_like(w["bias"]),
            "readout.weight": w["readout"].T,
            "readout.bias": w["shift"],
        }
