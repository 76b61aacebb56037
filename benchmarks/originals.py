"""The sound files that are damaged: small, one of each kind, made in the current folder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

import seqarith as sa
from seqarith.cells.elman import Elman
from seqarith.network import Network

ORIGINALS = {
    "model": ".npz",
    "adder": ".npz",
    "decimal": ".npz",
    "function": ".npz",
    "checkpoint": ".ckpt",
    "evaluation": ".ckpt",
    "log": ".jsonl",
}
"""The kinds of files, and what their names end with."""


def make_originals() -> None:
    """Write a file of each kind, named as its kind."""
    double = sa.MealyMachine([[0, 1], [0, 1]], [[0, 0], [1, 1]], names=("no carry", "carry"))
    task = sa.Task.from_machine(double, "double")
    own = sa.Trainer(sa.TrainingConfig.for_task(task, bits=2, hidden=2)).run().model
    own.save("model")
    found = sa.Task.from_function(lambda a: 3 * a, name="triple", ask=2000)
    sa.Trainer(sa.TrainingConfig.for_task(found, bits=3, hidden=8)).run().model.save("function")
    sa.evaluate(own, 4, checkpoint="evaluation")
    sa.Model.shipped("add").save("adder")
    _decimal().save("decimal")
    config = sa.TrainingConfig(bits=2, hidden=3, candidates=2, goal="steps", max_steps=2000)
    trainer = sa.Trainer(config)
    with_stop = sa.Hooks(stop=lambda: trainer.step >= 1998)
    try:
        trainer.run(with_stop)
    except KeyboardInterrupt:
        trainer.checkpoint().save("checkpoint")
    lines = [
        {"step": step, "loss": 1 / step, "accuracy": step / 2000, "min_margin": -0.5, "seconds": 1}
        for step in range(50, 550, 50)
    ]
    Path("log").write_text("".join(json.dumps(line) + "\n" for line in lines))


def _decimal() -> sa.Model:
    """Return an adder of decimal digits with hand-made weights: unit k says digits + carry > k."""
    task, levels = sa.registry.TASKS["add"](base=10), 19
    carry = np.array([k == 10 for k in range(1, levels + 1)], float)
    symbols = np.arange(10)
    network = Network(Elman("sigmoid"), task.inputs, levels, 10, "float64")
    arrays = {
        "rnn.weight_ih_l0": 40.0 * np.tile(np.arange(10), (levels, 2)),
        "rnn.weight_hh_l0": 40.0 * np.tile(carry, (levels, 1)),
        "rnn.bias_ih_l0": -40.0 * (np.arange(1, levels + 1) - 0.5),
        "rnn.bias_hh_l0": np.zeros(levels),
        "readout.weight": 2.0 * symbols[:, None] * (1 - 10 * carry),
        "readout.bias": -1.0 * symbols**2,
    }
    return sa.Model(task, network, network.absorb(arrays), {"bits": 2, "steps": 0})
