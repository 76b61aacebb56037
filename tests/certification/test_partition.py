"""A network that remembers more than its machine is proved; clusters split memories correctly."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest

import seqarith as sa
from seqarith.cells.elman import Elman
from seqarith.certification.adapter import from_model
from seqarith.certification.kernel.check import Accepted, check
from seqarith.certification.prove.dynamics import Dynamics as Cell
from seqarith.certification.prove.partition import Partition, UnitThreshold, half_width, widest_gap
from seqarith.certification.prove.reachable import draw_words, sample_reachable
from seqarith.certification.prove.refinement import Refinement
from seqarith.network import Network


def with_latch(adder, steep):
    """Add two units to an adder: "begun", and the first digit of the first operand, for ever."""
    arrays = adder.network.export(adder.parameters)
    network = Network(Elman("sigmoid"), 2, 5, 1, "float64")
    recurrent = np.zeros((5, 5))
    recurrent[:3, :3] = arrays["rnn.weight_hh_l0"]
    recurrent[4, 3:] = -steep, 2 * steep
    first = [[0, 0], [steep, 0]]
    wider = {
        "rnn.weight_ih_l0": np.append(arrays["rnn.weight_ih_l0"], first, 0),
        "rnn.weight_hh_l0": recurrent,
        "rnn.bias_ih_l0": np.append(arrays["rnn.bias_ih_l0"], [steep, -steep / 2]),
        "rnn.bias_hh_l0": np.zeros(5),
        "readout.weight": np.append(arrays["readout.weight"], [[0, 0]], 1),
        "readout.bias": arrays["readout.bias"],
    }
    return sa.Model(adder.task, network, network.absorb(wider))


def pool(program, history=8):
    cell = Cell(program)
    drawn = draw_words(np.random.default_rng(0), program.letters, 100, 100)
    return cell, sample_reachable(cell, program.start, program.next_state, drawn, history)


@pytest.fixture(scope="module", params=[8.0, 14.0])
def program(make, request):
    return from_model(with_latch(make(steep=request.param), request.param))


def test_what_is_remembered_for_ever_needs_modes(program):
    cell, samples = pool(program)
    without = Refinement(program, cell, samples, 0.4)
    assert without.run(float("inf")) is None
    assert "do not come together" in without.obstacle
    repair = Refinement(program, cell, samples, 0.4, clusters=True)
    certificate = repair.run(float("inf"))
    assert certificate is not None
    assert repair.method == "induction 0.4, clusters"
    assert isinstance(check(program, certificate), Accepted)


def test_every_state_of_the_machine_has_both_modes(program):
    cell, samples = pool(program)
    certificate = Refinement(program, cell, samples, 0.4, clusters=True).run(float("inf"))
    latched = certificate.centres[:, 4] > 0.5
    for state in range(2):
        assert set(latched[certificate.states == state]) == {False, True}


def test_the_start_is_a_region_of_its_own_since_its_letter_is_never_forgotten(program):
    cell, samples = pool(program)
    c = Refinement(program, cell, samples, 0.4, clusters=True).run(float("inf"))
    assert np.array_equal(c.centres[c.start], program.start)
    after = c.centres[c.successors[c.start], 4] > 0.5
    assert after.tolist() == [False, True, False, True]  # letter a holds a % 2 of operand 0
    wrong = c.successors.copy()
    wrong[c.start] = wrong[c.start, 0]
    assert not isinstance(check(program, dataclasses.replace(c, successors=wrong)), Accepted)


def test_leaves_are_closed_under_the_images_of_their_vectors(program):
    """Run one vector along a word: the leaf that the table names holds it, test by test."""
    cell, samples = pool(program)
    leaves = Partition(cell, program.next_state, samples, clusters=True)
    assert leaves.refine(0.4, 500)
    assert leaves.close(500)
    names, successors = leaves.table()
    assert successors.shape == (len(names), 4)
    for i, (state, _, _) in enumerate(names):
        h = leaves.vectors[names[i]]
        for a in range(4):
            to, _, clusters = names[successors[i, a]]
            assert to == program.next_state[state, a]
            image = cell.points(h, np.full(len(h), a))
            for test, side in clusters:
                assert np.all(test.side(cell, image) == side)


def test_parts_of_a_leaf_are_a_partition_of_it(program):
    cell, samples = pool(program)
    leaves = Partition(cell, program.next_state, samples, clusters=True)
    leaf = next(iter(leaves.members))
    before, members = leaves.vectors[leaf], leaves.members[leaf]
    parts = leaves.split_by(leaf, widest_gap(before)[0])
    assert sum(len(leaves.vectors[x]) for x in parts) == len(before)
    assert np.array_equal(np.sort(np.concatenate([leaves.members[x] for x in parts])), members)
    assert all(len(leaves.vectors[x]) for x in parts)


def test_the_widest_gap_is_that_of_brute_force():
    h = np.random.default_rng(1).uniform(-1, 1, (30, 4))
    test, gap = widest_gap(h)
    gaps = [(b - a, u) for u in range(4) for a, b in pairwise(sorted(h[:, u].tolist()))]
    assert (gap, test.unit) == max(gaps)
    assert np.abs(h[:, test.unit] - test.threshold).min() == pytest.approx(gap / 2)
    assert half_width(h) == max((h[:, u].max() - h[:, u].min()) / 2 for u in range(4))


def test_a_test_made_before_a_letter_is_that_of_the_image(program):
    cell, samples = pool(program)
    test = UnitThreshold((), 1, 0.5)  # whether there is a carry
    for letter, sides in enumerate(({False}, {False, True}, {False, True}, {True})):
        image = cell.points(samples.hidden, np.full(len(samples.hidden), letter))
        before = test.after(letter).side(cell, samples.hidden)
        assert np.array_equal(before, test.side(cell, image))
        assert set(before) == sides
