"""What is right is proved, what is wrong is refuted, and what is proved never errs."""

import itertools
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import seqarith as sa
from seqarith.cells.elman import Elman
from seqarith.certification.adapter import from_model, from_stored, reference_machine
from seqarith.certification.falsify.falsifier import Falsifier
from seqarith.certification.falsify.program_under_test import ProgramUnderTest
from seqarith.certification.kernel.check import Accepted, Rejected, check
from seqarith.certification.prove.box_prover import Proof, prove_by_boxes
from seqarith.certification.prove.induction_prover import InductionProver
from seqarith.certification.prove.reachable import draw_words
from seqarith.errors import TaskError
from seqarith.machine import MealyMachine
from seqarith.network import Network, emitted
from seqarith.tasks.builtin.addition import add, sub
from seqarith.tasks.sampling import Sampler
from seqarith.tasks.task import Task


def said(model, word):
    """Return what the program emits on words (T, N)."""
    return np.array([emitted(logits) for logits in model.program.run(word)])


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("outputs", [1, 2])
def test_exact_adders_are_proved(make, activation, dtype, outputs):
    model = make(activation, 60.0, dtype, outputs)
    verdict = sa.certify(model, 10)
    assert isinstance(verdict, sa.Proved)
    assert verdict.margin > 0
    assert verdict.certificate.dtype == dtype
    assert verdict.certificate.margin == verdict.margin
    assert isinstance(sa.verify(sa.attach(model, verdict.certificate)), Accepted)


def test_a_proved_model_never_errs_nor_leaves_its_regions(proved):
    """Long random words and runs: every hidden vector lies in the box that its path spells."""
    c = from_stored(proved.certificate)
    rng = np.random.default_rng(3)
    sampler = Sampler(proved.task, 3000)
    drawn = [sampler.uniform(rng, 10), sampler.favouring(rng, 40)]
    runs = np.array([np.resize(np.append([3], [1]), 3001), np.resize([1, 2], 3001)]).T
    word = np.concatenate([*drawn, runs], axis=1)
    assert np.array_equal(said(proved, word), proved.task.machine.run(word))
    assert c.shapes.ndim == 2
    program = proved.program
    hidden, region = program.start(word.shape[1]), np.full(word.shape[1], c.start)
    for letters in word:
        hidden = program.step(hidden, letters)
        region = c.successors[region, letters]
        assert np.all(np.abs(hidden - c.centres[region]) <= c.shapes[region])


def test_an_adder_that_forgets_is_refuted_at_its_shortest(forgetful):
    """Right for 20 digits, wrong at the 21st; only the carry is remembered, and monotonely."""
    low, high = 0.0, 0.0  # the least memory of a carry, the greatest of none
    k, steep = forgetful.network.export(forgetful.parameters)["rnn.weight_hh_l0"][1, 1], 7.0

    def memory(ones, before):
        return 1 / (1 + np.exp(-(steep * (ones - 1.5) + k * before)))

    low, shortest = 1.0, 0
    for digits in itertools.count(1):
        generated = memory(2, 0.0)
        low = generated if digits == 1 else min(generated, memory(1, low))
        high = max(memory(0, 1.0), memory(1, high))
        if low < 0.5 or high > 0.5:
            shortest = digits
            break
    verdict = sa.certify(forgetful, 10)
    assert isinstance(verdict, sa.Refuted)
    assert verdict.bits == shortest == 21
    assert verdict.operands == (2**21 - 1, 1)
    assert verdict.place == 20
    assert forgetful.predict(*verdict.operands).predicted == verdict.predicted
    assert verdict.expected == 2**21
    tried = InductionProver(from_model(forgetful)).run(time.monotonic() + 1.0)
    assert not isinstance(tried, Proof)


@pytest.mark.parametrize("steep", [0.5, 1.0, 2.0])
def test_the_shortest_and_smallest_counterexample_is_that_of_brute_force(make, steep):
    model = make(steep=steep)
    task = model.task
    for length in range(1, 7):
        # Ordered by the last letter, then the one before it: smallest operands first.
        word = np.array(list(itertools.product(range(4), repeat=length))).T[::-1]
        wrong = np.flatnonzero((said(model, word) != task.machine.run(word)).any(axis=0))
        if len(wrong):
            break
    verdict = sa.certify(model, 5)
    assert isinstance(verdict, sa.Refuted)
    assert verdict.shortest
    assert verdict.word == tuple(word[:, wrong[0]])
    assert verdict.predicted != verdict.expected == task.reference(*verdict.operands)


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["float32", "float64"]))
def test_random_networks_are_never_proved_wrongly(make, seed, dtype):
    model = make(dtype=dtype)
    rng = np.random.default_rng(seed)
    arrays = model.network.export(model.parameters)
    noisy = {name: a * rng.normal(1, 0.3, a.shape).astype(dtype) for name, a in arrays.items()}
    model = replace(model, parameters=model.network.absorb(noisy))
    word = draw_words(rng, 4, 300, 50)
    wrong = not np.array_equal(said(model, word), model.task.machine.run(word))
    verdict = sa.certify(model, 2)
    assert not (wrong and isinstance(verdict, sa.Proved))
    if isinstance(verdict, sa.Refuted):
        assert model.predict(*verdict.operands).predicted == verdict.predicted
        assert not model.predict(*verdict.operands).correct


def test_a_trained_model_that_errs_within_reach_is_never_undecided(make):
    model = replace(make(steep=2.2), training={"bits": 8})
    assert not sa.evaluate(model, 8).exact
    assert isinstance(sa.certify(model, 0.05), sa.Refuted)


def test_certification_is_deterministic(make):
    first, second = (sa.certify(make(), 10) for _ in range(2))
    assert first.certificate.digest == second.certificate.digest
    assert np.array_equal(first.certificate.centres, second.certificate.centres)


def test_the_program_is_what_predictions_come_from(make, run_step):
    model = make("tanh", 3.0, "float32")
    p = from_model(model)
    word = draw_words(np.random.default_rng(0), 4, 50, 20)
    hidden = np.zeros((20, 3), np.float32)
    for letters, logits in zip(word, model.program.run(word), strict=True):
        hidden = run_step(p, hidden, letters)
        np.testing.assert_allclose(hidden @ p.readout_weight.T + p.readout_bias, logits, atol=1e-5)


@pytest.mark.parametrize("outputs", [1, 2])
def test_the_program_holds_every_array_of_the_file(make, outputs):
    """Both biases apart, bit by bit: the program is the file's, not one that computes the same."""
    model = make(outputs=outputs)
    arrays = model.network.export(model.parameters)
    arrays["rnn.bias_hh_l0"] = np.full(3, 0.1)
    moved = replace(model, parameters=model.network.absorb(arrays))
    p = from_model(moved)
    held = {**p.arrays, "readout.weight": p.readout_weight, "readout.bias": p.readout_bias}
    assert held.keys() == arrays.keys()
    assert all(np.array_equal(held[name], array) for name, array in arrays.items())
    assert p.step == moved.network.step.operations
    assert not p.start.any()
    assert p.threshold == 0
    assert p.digest() != from_model(model).digest()


def test_an_absent_readout_bias_counts_as_zero(make):
    model = make()
    network = Network(Elman("sigmoid", bias=False), 2, 3, 1, "float64")
    arrays = model.network.export(model.parameters)
    kept = {name: arrays[name] for name in network.exported_shapes()}
    p = from_model(sa.Model(model.task, network, network.absorb(kept)))
    assert p.readout_bias.tolist() == [0.0]
    assert p.readout_bias.dtype == p.start.dtype


def test_a_threshold_is_part_of_the_program(make):
    """A logit of 20 and more for 1, of -20 and less for 0: any threshold between will do."""
    model = make()
    arrays = model.network.export(model.parameters)
    arrays["readout.bias"] = arrays["readout.bias"] + 7.3
    network = replace(model.network, threshold=7.3)
    moved = sa.Model(model.task, network, network.absorb(arrays))
    assert from_model(moved).threshold == 7.3
    verdict = sa.certify(moved, 5)
    assert isinstance(verdict, sa.Proved)
    assert verdict.margin == pytest.approx(sa.certify(model, 5).margin, rel=1e-6)
    single = replace(network, dtype="float32")
    rounded = sa.Model(model.task, single, single.absorb(arrays))
    assert from_model(rounded).threshold == float(np.float32(7.3))
    assert isinstance(sa.certify(rounded, 5), sa.Proved)
    off = replace(network, threshold=30.0)
    assert isinstance(sa.certify(sa.Model(model.task, off, off.absorb(arrays)), 5), sa.Refuted)


def test_a_task_without_a_machine_is_refused(make):
    model = make()
    task = Task("mul", "{} * {}", 2, lambda a, b: a * b, lambda a, b: (0, a[1] * b[1]), None)
    for act in (sa.certify, sa.verify, sa.extract):
        with pytest.raises(sa.errors.TaskError, match="no finite-state machine computes a \\* b"):
            act(replace(model, task=task, certificate=None))
    with pytest.raises(sa.errors.InvalidValueError, match="more than 0"):
        sa.certify(model, 0)


def delayed(task: Task) -> Task:
    """Return the task, its result a step later."""
    machine = task.machine
    pairs = [(q, d) for q in range(2) for d in range(2)]
    following = [
        [pairs.index((machine.next_state[q, a], machine.output[q, a])) for a in range(4)]
        for q, _ in pairs
    ]
    said_later = [[d] * 4 for _, d in pairs]
    later = MealyMachine(following, said_later, 2, 0, tuple(f"carry {q}, {d}" for q, d in pairs))
    return replace(task, machine=later, delay=1)


def test_digits_that_the_delay_throws_away_need_not_be_right():
    machine = reference_machine(delayed(add()))
    assert machine.outputs == 3
    assert np.all(machine.output[0] == 2)
    assert not np.any(machine.output[1:] == 2)


def test_most_significant_first_words_are_ordered_by_their_first_letters(make):
    model = make()
    suspect = ProgramUnderTest.of(model)
    suspect.order = "most"
    assert suspect.rank(np.array([1, 0])) > suspect.rank(np.array([0, 3]))
    parents, letters = suspect.appended(2)
    assert parents.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert letters.tolist() == [0, 1, 2, 3] * 2


def test_ten_letters_and_ten_digits_are_refuted():
    task = add(base=10)
    network = Network(Elman("tanh"), task.inputs, 8, 10, "float32")
    drawn = network.initial(np.random.default_rng(0))
    model = sa.Model(task, network, network.unpack(drawn))
    verdict = sa.certify(model, 2)
    assert isinstance(verdict, sa.Refuted)
    assert verdict.bits == 1
    assert verdict.shortest


def test_other_tasks_of_the_registry_are_decided(make):
    model = make()
    verdict = sa.certify(replace(model, task=sub()), 2)
    assert isinstance(verdict, sa.Refuted)
    assert verdict.expected == verdict.operands[0] - verdict.operands[1]


def test_quick_proves_what_it_returns(make):
    found = prove_by_boxes(from_model(make()))
    assert isinstance(check(from_model(make()), found.certificate), Accepted)
    assert found.method.startswith("boxes")
    assert prove_by_boxes(from_model(make(steep=1.0))) is None


def test_the_refuter_knows_how_far_it_ran_everything(make):
    model = make()
    falsifier = Falsifier(ProgramUnderTest.of(model), model.task)
    assert falsifier.search(1.0) is None
    assert falsifier.run_all_words(9, 10.0) is None
    assert falsifier.known.closed, "its sigmoids have few values, all of which were met"


def test_a_readout_that_cannot_say_a_symbol_is_not_proved():
    """One logit says 0 or 1: on a task of three symbols, 2 must not count as "any digit"."""
    minus_one = Task(
        name="minus-one",
        notation="{} * 0 - 1",
        operands=1,
        reference=lambda a: -1,
        bounds=lambda a: (-1, -1),
        machine=MealyMachine([[0] * 3], [[2] * 3]),
        base=3,
    )
    for outputs in (1, 2):
        network = Network(Elman(), minus_one.inputs, 1, outputs)
        with pytest.raises(TaskError, match="3 symbols"):
            from_model(sa.Model(minus_one, network, network.parameters()))


def test_a_cell_that_only_descends_from_elman_is_judged_by_its_own_step(make):
    """It may compute anything; this one stands still, and so never carries."""

    class Still(Elman):  # type: ignore[misc]
        name = "still"

        def step(self, o, x, memory):
            return super().step(o, x, memory) * memory

    model = make(steep=20.0)
    network = replace(model.network, cell=Still("sigmoid"))
    wrong = replace(model, network=network)
    assert not wrong.predict(1, 1).correct
    assert wrong.digest != model.digest
    assert isinstance(sa.certify(wrong, 1), sa.Refuted)
    proof = sa.certify(model, 5).certificate
    assert isinstance(sa.verify(sa.attach(wrong, proof)), Rejected)


def test_a_claim_leaves_room_for_another_order_of_sums(make):
    """Elsewhere the checker may find a margin that is smaller in the last bits."""
    found = prove_by_boxes(from_model(make(steep=20.0)))
    assert found.certificate.margin < found.accepted.margin * (1 - 1e-9)
    assert found.certificate.margin == pytest.approx(found.accepted.margin, rel=1e-5)
