"""The machine that a network has become."""

from dataclasses import replace

import numpy as np
import pytest

import seqarith as sa
from seqarith.cells.elman import Elman
from seqarith.certification.diagram import arrows, symbol_label
from seqarith.certification.extraction import _Observation
from seqarith.errors import TaskError
from seqarith.network import Network


def test_a_proved_adder_is_the_machine_of_addition(proved):
    found = sa.extract(proved)
    assert found.proved
    assert found.equal
    assert found.agreement == 1
    assert found.machine.names == ("carry 0", "carry 1")
    assert np.array_equal(found.machine.next_state, proved.task.machine.next_state)


def test_without_a_proof_the_machine_is_observed(make):
    found = sa.extract(make())
    assert not found.proved
    assert found.equal
    assert found.samples > 100
    assert found.agreement == 1


def test_a_false_certificate_proves_nothing(make, proved):
    from dataclasses import replace

    found = sa.extract(replace(make(steep=30.0), certificate=proved.certificate))
    assert not found.proved


def test_a_wrong_network_is_another_machine(make):
    model = make()
    arrays = model.network.export(model.parameters)
    arrays["rnn.weight_hh_l0"][:] = 0  # it forgets every carry
    model = sa.Model(model.task, model.network, model.network.absorb(arrays))
    found = sa.extract(model)
    assert not found.equal
    assert found.machine.states == 1
    assert found.machine.names == ("carry 0 or carry 1",)
    assert found.difference == (3, 0)
    said = found.machine.run(found.difference)
    assert not np.array_equal(said, model.task.machine.run(found.difference))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_two_logits(make, dtype):
    assert sa.extract(make("tanh", 60.0, dtype, 2)).equal


def test_labels_of_a_diagram() -> None:
    two, machine = sa.registry.TASKS["add"](), sa.registry.TASKS["add"]().machine
    assert machine is not None
    assert arrows(two, machine) == {
        (0, 0): ["00 / 0", "10, 01 / 1"],
        (0, 1): ["11 / 0"],
        (1, 0): ["00 / 1"],
        (1, 1): ["10, 01 / 0", "11 / 1"],
    }
    ten = sa.registry.TASKS["add"](base=10)
    assert ten.machine is not None
    label = arrows(ten, ten.machine)[0, 1]
    assert label[:2] == ["91, 82, 73, 64 and 5 more / 0", "92, 83, 74, 65 and 4 more / 1"]
    assert label[3:] == ["and 6 more"]


@pytest.mark.parametrize("task", ["gray", "average"])
def test_a_delayed_machine_is_read_off_a_proof(task):
    model = sa.train(task, bits=4).model
    found = sa.extract(model)
    assert found.proved
    assert found.equal
    assert found.machine.states == 3
    start = found.machine.output[found.machine.initial]
    assert [symbol_label(model.task, int(symbol)) for symbol in start] == ["anything"] * len(start)
    with pytest.raises(TaskError, match="only read off a proof"):
        sa.extract(replace(model, certificate=None))


def test_symbols_beyond_a_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network whose hidden vector tells its letter, and whose readout says the nearest one."""
    # Few vectors: each is looked at under 343**2 words.
    monkeypatch.setattr("seqarith.certification.extraction.DIGITS", 1)
    monkeypatch.setattr("seqarith.certification.extraction.WORDS", 1)
    machine = sa.MealyMachine([[0] * 343], [list(range(343))])
    symbols = tuple(map(str, range(343)))
    task = sa.Task.from_machine(machine, "last", operands=3, base=7, order="most", symbols=symbols)
    network = Network(Elman("tanh"), task.inputs, 3, 343, "float64")
    weight = np.kron(np.eye(3), np.arange(7) / 10)
    at = np.tanh(task.vectors @ weight.T)
    arrays = {
        "rnn.weight_ih_l0": weight,
        "rnn.weight_hh_l0": np.zeros((3, 3)),
        "rnn.bias_ih_l0": np.zeros(3),
        "rnn.bias_hh_l0": np.zeros(3),
        "readout.weight": 2 * at,
        "readout.bias": -(at**2).sum(1),
    }
    model = sa.Model(task, network, network.absorb(arrays))
    found = sa.extract(model)
    assert found.equal
    assert found.agreement == 1
    assert found.machine.output.tolist() == [list(range(343))]
    # Vectors are told apart by these: 0 and 256 are not the same.
    observed = _Observation(model)
    assert observed._answers(observed.vectors[:1]).tolist() == [list(range(343))]
    assert symbol_label(task, 342) == "342"
