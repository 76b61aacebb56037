"""Time the tutorial's 10,000 iterations against a loop written as the tutorial writes it."""

import os

for _variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

import argparse
import copy
import time
from statistics import median

import numpy as np

import seqarith as sa


def squash(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def slope(y: np.ndarray) -> np.ndarray:
    return y * (1 - y)


def plain_loop(seed: int, iterations: int) -> dict[str, np.ndarray]:
    """Train as the tutorial does, operation for operation: one position at a time."""
    rng = np.random.RandomState(seed)
    weights = [2 * rng.random_sample(shape) - 1 for shape in ((2, 16), (16, 1), (16, 16))]
    w_in, w_out, w_hidden = weights
    d_in, d_out, d_hidden = changes = [np.zeros_like(weight) for weight in weights]
    bits = {n: np.unpackbits(np.array([[n]], dtype=np.uint8), axis=1)[0] for n in range(256)}
    for _ in range(iterations):
        first = rng.randint(128)
        second = rng.randint(128)
        a, b, total = bits[first], bits[second], bits[first + second]
        guess, error = np.zeros_like(total), 0
        deltas, hiddens = [], [np.zeros(16)]
        for position in range(8):
            x = np.array([[a[7 - position], b[7 - position]]])
            y = np.array([[total[7 - position]]]).T
            hidden = squash(np.dot(x, w_in) + np.dot(hiddens[-1], w_hidden))
            output = squash(np.dot(hidden, w_out))
            missing = y - output
            deltas.append(missing * slope(output))
            error += np.abs(missing[0])
            guess[7 - position] = np.round(output[0][0])
            hiddens.append(copy.deepcopy(hidden))
        future = np.zeros(16)
        for position in range(8):
            x = np.array([[a[position], b[position]]])
            hidden, before = hiddens[-position - 1], hiddens[-position - 2]
            delta_out = deltas[-position - 1]
            delta = (future.dot(w_hidden.T) + delta_out.dot(w_out.T)) * slope(hidden)
            d_out += np.atleast_2d(hidden).T.dot(delta_out)
            d_hidden += np.atleast_2d(before).T.dot(delta)
            d_in += x.T.dot(delta)
            future = delta
        w_in += d_in * 0.1
        w_out += d_out * 0.1
        w_hidden += d_hidden * 0.1
        for change in changes:
            change.fill(0)
    return {"input": w_in, "hidden": w_hidden, "output": w_out}


def ours(seed: int, iterations: int) -> dict[str, np.ndarray]:
    """Train with seqarith."""
    model = sa.Trainer(sa.tutorial_config(seed, iterations)).run().model
    arrays = model.network.export(model.parameters)
    return {
        "input": arrays["rnn.weight_ih_l0"].T,
        "hidden": arrays["rnn.weight_hh_l0"].T,
        "output": arrays["readout.weight"].T,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--iterations", type=int, default=10_000)
    arguments = parser.parse_args()
    ratios = []
    for seed in range(arguments.runs):
        start = time.perf_counter()
        expected = plain_loop(seed, arguments.iterations)
        middle = time.perf_counter()
        found = ours(seed, arguments.iterations)
        end = time.perf_counter()
        distance = max(np.abs(found[name] - expected[name]).max() for name in expected)
        ratios.append((middle - start) / (end - middle))
        print(
            f"seed {seed}: the loop {middle - start:.2f} s, seqarith {end - middle:.2f} s, "
            f"ratio {ratios[-1]:.1f}; weights differ by at most {distance:.1e}"
        )
    print(f"median ratio {median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})")


if __name__ == "__main__":
    main()
