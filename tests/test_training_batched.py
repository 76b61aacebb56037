"""Networks side by side are as each alone, and begin anew as they should."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import seqarith as sa
from seqarith.training.batched import BatchedNetworks
from seqarith.training.batches import SampledBatches

CONFIG = sa.TrainingConfig(bits=4, hidden=5, candidates=4, dtype="float64", noise=0.0)


def test_side_by_side_as_alone() -> None:
    batches = SampledBatches(CONFIG)
    networks = BatchedNetworks(CONFIG)
    networks.initialise(0)
    single = replace(CONFIG, candidates=1)
    alone = [BatchedNetworks(single) for _ in range(4)]
    for i, one in enumerate(alone):
        one.initialise(0)
        one.flat[...] = networks.flat[i]
    together = networks.over(batches.steps, CONFIG.batch)
    passes = [one.over(batches.steps, CONFIG.batch) for one in alone]
    for step in range(6):
        together.run(*batches(step))
        networks.update(0.05, step + 1)
        for one, its in zip(alone, passes, strict=True):
            its.run(*batches(step))
            one.update(0.05, step + 1)
    for i, one in enumerate(alone):
        assert np.allclose(networks.flat[i], one.flat, rtol=0, atol=1e-12)
        kernels = CONFIG.network.pack(networks.parameters(i))
        assert (kernels.flat == networks.flat[i]).all()


def test_every_network_of_every_attempt_begins_elsewhere() -> None:
    networks = BatchedNetworks(CONFIG)
    seen = []
    for attempt in range(3):
        networks.initialise(attempt)
        seen += [row.tobytes() for row in networks.flat]
        assert all((array == 0).all() for array in networks.memory.values())
        networks.memory["mean"][...] = 1
    assert len(set(seen)) == 12
    single = BatchedNetworks(replace(CONFIG, candidates=1))
    single.initialise(5)
    assert single.flat.tobytes() == seen[5]


def test_a_run_begins_anew_when_its_patience_ends() -> None:
    config = sa.TrainingConfig(bits=4, hidden=2, restart_after=30, max_steps=30, goal="steps")
    trainer = sa.Trainer(config)
    trainer.run()
    spent = trainer._engine.networks.flat.copy()
    longer = sa.Trainer(replace(config, max_steps=31), trainer.checkpoint())
    longer.run()
    fresh = BatchedNetworks(config)
    fresh.initialise(1)
    assert np.abs(longer._engine.networks.flat - fresh.flat).max() < 0.2
    assert np.abs(longer._engine.networks.flat - spent).max() > 0.2


def test_the_first_network_that_is_there_is_kept() -> None:
    result = sa.train("add", bits=4, hidden=3, candidates=8, seed=3)
    assert result.proved
    assert isinstance(sa.verify(result.model), sa.Accepted)
    assert result.evaluation.exact
