"""The loop of the tutorial of 2015, operation for operation: one pair, one position at a time.

Run: ``python benchmarks/peers/tutorial_loop.py SEED`` trains until all pairs come out right.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterator

import numpy as np

BITS, LARGEST, CHECK_EVERY = 8, 128, 100


def squash(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def slope(y: np.ndarray) -> np.ndarray:
    return y * (1 - y)


def plain_loop(seed: int) -> Iterator[dict[str, np.ndarray]]:
    """Train, and yield the weights after every iteration."""
    rng = np.random.RandomState(seed)
    weights = [2 * rng.random_sample(shape) - 1 for shape in ((2, 16), (16, 1), (16, 16))]
    w_in, w_out, w_hidden = weights
    d_in, d_out, d_hidden = changes = [np.zeros_like(weight) for weight in weights]
    bits = {n: np.unpackbits(np.array([[n]], dtype=np.uint8), axis=1)[0] for n in range(256)}
    while True:
        first = rng.randint(LARGEST)
        second = rng.randint(LARGEST)
        a, b, total = bits[first], bits[second], bits[first + second]
        guess, error = np.zeros_like(total), 0
        deltas, hiddens = [], [np.zeros(16)]
        for position in range(BITS):
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
        for position in range(BITS):
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
        yield {"input": w_in, "hidden": w_hidden, "output": w_out}


def is_exact(weights: dict[str, np.ndarray]) -> bool:
    """Return whether all 128 x 128 pairs come out right, all of them at once."""
    first, second = (side.ravel() for side in np.meshgrid(*[np.arange(LARGEST)] * 2))
    hidden = np.zeros((first.size, 16))
    for place in range(BITS):
        x = np.stack([first >> place & 1, second >> place & 1], 1)
        hidden = squash(x @ weights["input"] + hidden @ weights["hidden"])
        digits = (hidden @ weights["output"])[:, 0] > 0
        if (digits != ((first + second) >> place & 1)).any():
            return False
    return True


def main(seed: int) -> None:
    for iteration, weights in enumerate(plain_loop(seed), 1):
        if iteration % CHECK_EVERY == 0 and is_exact(weights):
            break
    print(f"exact after {iteration} iterations")


if __name__ == "__main__":
    main(int(sys.argv[1]))
