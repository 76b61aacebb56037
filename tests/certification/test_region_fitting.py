"""Regions hold the vectors that they were made of, and make room for the images of others."""

from dataclasses import replace

import numpy as np
import pytest

from seqarith.certification.adapter import from_model
from seqarith.certification.prove import region_fitting
from seqarith.certification.prove.dynamics import Dynamics as Cell
from seqarith.certification.prove.partition import Partition
from seqarith.certification.prove.reachable import draw_words, sample_reachable


@pytest.fixture
def closed(make):
    program = from_model(make(steep=12.0))
    cell = Cell(program)
    drawn = draw_words(np.random.default_rng(0), program.letters, 100, 100)
    samples = sample_reachable(cell, program.start, program.next_state, drawn, 8)
    leaves = Partition(cell, program.next_state, samples)
    assert leaves.refine(0.1, 500)
    assert leaves.close(500)
    names, successors = leaves.table()
    return cell, [leaves.vectors[x] for x in names], successors


@pytest.mark.parametrize("style", [region_fitting.PLAIN, region_fitting.ROOMY])
def test_regions_hold_their_vectors(closed, style):
    cell, vectors, successors = closed
    centres, generators = region_fitting.fit_parallelotopes(cell, vectors, successors, style)
    for v, centre, each in zip(vectors, centres, generators, strict=True):
        assert np.abs((v - centre) @ np.linalg.inv(each)).max() < 1


def test_weights_that_are_not_done_in_time_shape_no_region(closed):
    assert region_fitting.fit_parallelotopes(*closed, deadline=0.0) is None


def test_room_only_widens_regions(closed):
    still = replace(region_fitting.ROOMY, sweeps=0)
    sizes = [
        np.linalg.norm(region_fitting.fit_parallelotopes(*closed, style)[1], axis=2)
        for style in (still, region_fitting.ROOMY)
    ]
    growth = sizes[1] / sizes[0]
    assert growth.min() > 1 - 1e-9
    assert growth.max() > 1.01
    assert np.isfinite(sizes).all()
