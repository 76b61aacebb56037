"""A training step against PyTorch, eager and compiled, JAX, and a loop as tutorials write it."""

from __future__ import annotations

import sidebyside  # isort: skip  # before NumPy: it takes one core

from collections.abc import Callable
from functools import partial
from statistics import median

import numpy as np
import torch
from peers.case import Batch, Case, Peer, Weights
from peers.jax_scan import JAX
from peers.ours import Ours
from peers.plain import Plain
from peers.pytorch import PyTorch
from sidebyside import Fact, Figure, Row, Run, alternate

SHAPES = ((1, 8, 16), (64, 9, 16), (256, 9, 32), (1024, 65, 128))
CELLS = ("elman", "gru", "lstm")
ALIKE, STEPS = 1e-5, 20
SIZE = 2048
LONG = 16  # steps beyond which unrolled programs take minutes to compile
EAGER, COMPILED, SCAN = "PyTorch", "PyTorch, compiled", "JAX, scan"
WANTED = {
    (1, 8, 16): {EAGER: 15, SCAN: 3},
    (64, 9, 16): {EAGER: 12, SCAN: 3},
    (256, 9, 32): {EAGER: 5, SCAN: 2},
    (1024, 65, 128): {EAGER: 2, SCAN: 1.7},
}
TEXT = """Forward, back-propagation through time, clipping by the norm, Adam, in float32, on words
of random sums. All contenders begin with the same weights and see the same batches; after 20 steps
all weights agree to 1e-5, or the row says otherwise. *PyTorch*: its own layer, `BCEWithLogits`,
`clip_grad_norm_` and Adam, fused or over lists (`foreach`), whichever is faster. *Compiled*: the
network unrolled, since `torch.compile` leaves the layers as they are. *JAX*: one `jit`, `scan`,
optax, donated buffers; *unrolled* lets the compiler see all steps at once."""


def contenders(case: Case) -> dict[str, Callable[..., Peer]]:
    """Return what makes each contender; ours is the first."""
    known: dict[str, Callable[..., Peer]] = {
        "seqarith": partial(Ours, case),
        EAGER: partial(PyTorch, case),  # see `faster`
        COMPILED: partial(PyTorch, case, compiled=True),
        SCAN: partial(JAX, case),
        "JAX, scan unrolled": partial(JAX, case, unroll=case.steps),
    }
    if case.steps > LONG:
        del known["JAX, scan unrolled"]
        if case.cell != "elman":
            del known[COMPILED]
    if case.cell == "elman" and case.batch == 1:
        known["a plain loop in NumPy"] = partial(Plain, case)
    return known


def stepped(peer: Peer, batches: list[Batch]) -> Weights:
    """Return a contender's weights after some steps."""
    peer.run([peer.prepare(batch) for batch in batches], STEPS)
    return peer.weights()


def checked(make: Callable[..., Peer], batches: list[Batch]) -> Weights:
    """Return weights to be compared; PyTorch is asked for exactly the same mathematics."""
    exact = {"exact": True} if isinstance(make, partial) and make.func is PyTorch else {}
    return stepped(make(**exact), batches)


def faster(case: Case, batches: list[Batch]) -> tuple[Peer, str]:
    """Return PyTorch with the faster one of its implementations of Adam, and which that is."""
    peers = {said: PyTorch(case, fused=said == "fused Adam") for said in ("fused Adam", "foreach")}
    prepared = [peers["foreach"].prepare(batch) for batch in batches]
    runs = {said: partial(peer.run, prepared) for said, peer in peers.items()}
    seconds = alternate(runs, rounds=3)
    best = min(seconds, key=lambda said: median(seconds[said]))
    return peers[best], best


def compare(figure: Figure, case: Case) -> None:
    """Check that all contenders agree, then time them."""
    batches, remarks = case.batches(4), {}
    runs: dict[str, Run] = {}
    ours = stepped(Ours(case), batches)
    for name, make in contenders(case).items():
        try:
            theirs, peer = checked(make, batches), make()
        except Exception as error:  # a peer that does not run here is a row that says so
            figure.add(Row(str(case), name, None, remark=f"does not run: {type(error).__name__}"))
            continue
        if name == EAGER:
            peer, remarks[name] = faster(case, batches)
        far = max(float(np.abs(ours[key] - theirs[key]).max()) for key in ours)
        if far > ALIKE:
            remarks[name] = f"weights differ by {far:.1e}"
        runs[name] = partial(peer.run, [peer.prepare(batch) for batch in batches])
    wanted = dict.fromkeys((EAGER, SCAN), 1.0)  # ahead, at least
    if case.cell == "elman":
        wanted = WANTED[case.batch, case.steps, case.hidden]
    figure.compare(str(case), runs, wanted, remarks, rounds=5 if case.steps > LONG else 21)
    if case.steps > LONG and case.cell != "elman":
        figure.add(Row(str(case), COMPILED, None, remark="not run: compiles for minutes"))


def share(case: Case) -> tuple[float, float]:
    """Return the core's rate in a large matrix product, and the share of it that our step reaches.

    Both by turns; medians.
    """
    left = np.random.default_rng(0).random((SIZE, SIZE), np.float32)
    out, step, batches = np.empty_like(left), Ours(case), case.batches(2)

    def product(count: int) -> None:
        for _ in range(count):
            np.dot(left, left, out)

    seconds = alternate({"product": product, "step": partial(step.run, batches)}, rounds=9)
    both = zip(seconds["product"], seconds["step"], strict=True)
    ratio = 2 * SIZE**3 / operations(case)
    return 2 * SIZE**3 / min(seconds["product"]), median(a / b / ratio for a, b in both)


def operations(case: Case) -> int:
    """Return products and sums of an Elman step: forward, weights' gradient, hidden gradient."""
    words, hidden = case.batch * case.steps, case.hidden
    kernel, readout = (2 + hidden + 1) * hidden, 3 * hidden
    back = case.batch * (case.steps - 1) * hidden * hidden
    return 2 * (2 * words * kernel + words * readout + back)


def measure() -> Figure:
    torch.set_num_threads(1)
    figure = Figure("A training step", TEXT)
    for cell in CELLS:
        for shape in SHAPES:
            compare(figure, Case(cell, *shape))
    large = Case("elman", *SHAPES[-1])
    rate, reached = share(large)
    product = f"Matrix product, {SIZE:,} x {SIZE:,}, float32, one core"
    figure.note(Fact(product, rate / 1e9, "GFLOP/s"))
    figure.note(Fact(f"Share of that rate reached at {large}", 100 * reached, "%", "at least 65"))
    return figure


if __name__ == "__main__":
    sidebyside.main("training_step", measure)
