"""The page's forward pass is NumPy's, to 1e-12 on every step of 1,000 random sums.

Every cell is in `test_every_cell`.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import seqarith as sa
from seqarith.certification.certify import stored_certificate
from seqarith.network import Network
from seqarith.tasks.custom.from_machine import task_from_machine
from seqarith.tasks.task import Task

Contents = Callable[[sa.Model], dict[str, Any]]
SUMS = 1000


def random_sums(count: int, operands: int, seed: int = 0, widest: int = 64) -> list[list[int]]:
    """Return operands of 1 to ``widest`` bits, a third of them negative."""
    rng = np.random.default_rng(seed)
    sums = []
    for _ in range(count):
        bits = int(rng.integers(1, widest + 1))
        values = [int.from_bytes(rng.bytes(200)) % 2**bits for _ in range(operands)]
        sums.append([-value if rng.random() < 1 / 3 else value for value in values])
    return sums


def doubled(model: sa.Model) -> sa.Model:
    """Return the same weights, to be computed with in float64."""
    network = Network(
        model.network.cell, model.network.inputs, model.network.hidden, model.network.outputs,
        "float64",
    )  # fmt: skip
    arrays = model.network.export(model.parameters)
    return sa.Model(model.task, network, network.absorb(arrays))


def assert_traces_agree(traces: list[Any], model: sa.Model, sums: list[list[int]]) -> None:
    for trace, operands in zip(traces, sums, strict=True):
        wanted = sa.trace(model, *operands)
        assert trace["letters"] == wanted.letters.tolist()
        assert np.abs(np.array(trace["memories"]) - wanted.memory).max() <= 1e-12
        assert np.abs(np.array(trace["logits"]) - wanted.logits).max() <= 1e-12
        assert trace["predicted"] == model.task.result_text(wanted.predicted)
        if wanted.states is None:  # and a function that the page does not know
            assert trace["expected"] is None
        else:
            assert trace["states"] == wanted.states.tolist()
            assert trace["wrong"] == wanted.wrong.tolist()
            assert trace["expected"] == model.task.result_text(wanted.expected)
            np.testing.assert_allclose(trace["margins"], wanted.margins, atol=1e-12)


def test_a_thousand_random_sums(node: Any, contents: Contents, proved_adder: sa.Model) -> None:
    sums = random_sums(SUMS, 2)
    for model in (proved_adder, sa.Model.shipped("add")):
        assert model.network.dtype == "float64"
        assert_traces_agree(node(contents(model), sums)["traces"], model, sums)


def test_a_thousand_random_sums_of_a_single_precision_model(
    node: Any, contents: Contents, trained: sa.Run
) -> None:
    """The page computes in double precision: compared with its weights in double precision."""
    model = trained.model
    assert model.network.dtype == "float32"
    sums = random_sums(SUMS, 2, widest=12)
    traces = node(contents(model), sums)["traces"]
    assert_traces_agree(traces, doubled(model), sums)
    for trace, operands in zip(traces[:50], sums, strict=False):
        assert trace["predicted"] == str(model.predict(*operands).predicted)


def remainder_by_three() -> Task:
    table = [[(2 * q + d) % 3 for d in (0, 1)] for q in range(3)]
    machine = sa.MealyMachine(table, table, names=("rest 0", "rest 1", "rest 2"))
    return Task(
        "rest", "{} mod 3", 1, lambda a: a % 3, lambda r: (0, 2), machine,
        order="most", result="symbol", symbols=("none", "one", "two"),
    )  # fmt: skip


def without_machine() -> Task:
    return Task("copy", "{}", 1, lambda a: a, lambda r: r, None, base=3, delay=1)


@pytest.mark.parametrize("make", [remainder_by_three, without_machine])
def test_every_kind_of_task(
    node: Any, contents: Contents, make_random: Callable[..., sa.Model], make: Callable[[], Task]
) -> None:
    model = make_random(make(), 3)
    sums = [[value] for value in (0, 1, 5, 11, 1000, 2**40 + 3)]
    assert_traces_agree(node(contents(model), sums)["traces"], model, sums)


@pytest.mark.parametrize("options", [{"base": 10}, {"base": 3}, {"operands": 3}])
def test_bases_and_operands(
    node: Any, contents: Contents, make_adder: Callable[..., sa.Model], options: dict[str, int]
) -> None:
    model = make_adder(**options)
    sums = random_sums(60, model.task.operands, seed=1)
    traces = node(contents(model), sums)["traces"]
    assert_traces_agree(traces, model, sums)
    assert all(int(t["predicted"]) == sum(s) for t, s in zip(traces, sums, strict=True))


def test_words_longer_than_the_table_of_layouts(
    node: Any, contents: Contents, proved_adder: sa.Model
) -> None:
    sums = random_sums(20, 2, seed=2, widest=1500)
    assert max(len(f"{abs(a):b}") for a, _ in sums) > 1000
    traces = node(contents(proved_adder), sums)["traces"]
    assert_traces_agree(traces, proved_adder, sums)


def many_symbols() -> Task:
    digits = np.arange(7)
    c, b, a = np.meshgrid(digits, digits, digits, indexing="ij")
    said = [(49 * a + 7 * b + c).reshape(-1).tolist()] * 2
    machine = sa.MealyMachine([[0] + [1] * 342, [1] * 343], said, 343)
    symbols = tuple(f"s{i}" for i in range(343))
    return task_from_machine(
        machine, "digits", operands=3, base=7, order="most", symbols=symbols
    )  # fmt: skip


def delayed_by_three(base: int) -> Task:
    states = np.arange(base**3)[:, None]
    after = states * base % base**3 + np.arange(base)
    said = np.repeat(states // base**2, base, axis=1)
    return task_from_machine(sa.MealyMachine(after, said, base), "late", base=base, delay=3)


def own(name: str, **options: Any) -> Task:
    task = sa.registry.TASKS[name](**options)
    assert task.machine is not None
    return task_from_machine(
        task.machine, "own", operands=task.operands, base=task.base, order=task.order,
        delay=task.delay,
    )  # fmt: skip


EXTREMES = {
    "343 symbols, most significant first": many_symbols,
    "base 16": lambda: own("add", base=16),
    "base 16, most significant first": lambda: own("max", base=16),
    "delay 3, base 2": lambda: delayed_by_three(2),
    "delay 3, base 5": lambda: delayed_by_three(5),
    **{
        f"{name} in base {base}": lambda name=name, base=base: own(name, base=base)
        for name in ("add", "sub", "neg")
        for base in (2, 3, 5, 16)
    },
}


@pytest.mark.parametrize("kind", EXTREMES)
def test_own_tasks_at_the_extremes(
    node: Any, contents: Contents, make_random: Callable[..., sa.Model], kind: str
) -> None:
    """Symbols, letters, orders, delays, bases and signs as `sa.trace` has them, digit by digit."""
    task = EXTREMES[kind]()
    model = make_random(task, 1)
    ends = [task.base**width + more for width in (1, 2, 5) for more in (-1, 0, 1)]
    sums = random_sums(60, task.operands, seed=6)
    sums += [[end] * task.operands for end in [0, *ends]]
    sums += [[end // 2 + more] * task.operands for end in ends for more in (0, 1)]
    if task.negative:
        sums += [[-value for value in operands] for operands in sums]
        sums += [[-1, *[1] * (task.operands - 1)]]
    else:
        sums = [[abs(value) for value in operands] for operands in sums]
    assert_traces_agree(node(contents(model), sums)["traces"], model, sums)


WITHOUT_MACHINE = [name for name in sa.registry.TASKS if sa.registry.TASKS[name]().machine is None]


@pytest.mark.parametrize("name", WITHOUT_MACHINE)
@pytest.mark.parametrize("base", [2, 10])
def test_what_is_right_where_no_machine_says_it(
    node: Any, contents: Contents, make_random: Callable[..., sa.Model], name: str, base: int
) -> None:
    task = sa.registry.TASKS[name](base=base)
    model = replace(make_random(task, 2), training={"bits": 3})
    sums = [[abs(value) for value in each] for each in random_sums(60, task.operands, seed=7)]
    for trace, operands in zip(node(contents(model), sums)["traces"], sums, strict=True):
        wanted = sa.trace(model, *operands)
        assert trace["predicted"] == str(wanted.predicted)
        assert trace["expected"] == str(task.reference(*operands))
        assert trace["wrong"] == wanted.wrong.tolist()
        np.testing.assert_allclose(trace["margins"], wanted.margins, atol=1e-12)


def test_negative_operands_are_refused_where_python_refuses_them(
    node: Any, contents: Contents, make_random: Callable[..., sa.Model]
) -> None:
    model = make_random(sa.registry.TASKS["mul"](), 2)
    with pytest.raises(AssertionError, match="takes naturals only"):
        node(contents(model), [[-3, 4]])


def gated(cell: str, hidden: int, letters: list[int], arrays: dict[str, Any]) -> Any:
    """Return the memories of a gated cell, from the equations in PyTorch's documentation."""

    def squash(x: Any) -> Any:
        return 1 / (1 + np.exp(-x))

    h, c, found = np.zeros(hidden), np.zeros(hidden), []
    for letter in letters:
        x = arrays["rnn.weight_ih_l0"] @ [letter % 2, letter // 2] + arrays["rnn.bias_ih_l0"]
        y = arrays["rnn.weight_hh_l0"] @ h + arrays["rnn.bias_hh_l0"]
        x, y = x.reshape(-1, hidden), y.reshape(-1, hidden)
        if cell == "gru":
            r, z = squash(x[0] + y[0]), squash(x[1] + y[1])
            n = np.tanh(x[2] + r * y[2])
            h = (1 - z) * n + z * h
            found.append(h)
        else:
            i, f, o = squash(x[0] + y[0]), squash(x[1] + y[1]), squash(x[3] + y[3])
            c = f * c + i * np.tanh(x[2] + y[2])
            h = o * np.tanh(c)
            found.append(np.concatenate([h, c]))
    return np.array(found)


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_gated_cells(node: Any, contents: Contents, cell: str) -> None:
    task, rng, hidden = sa.registry.TASKS["add"](), np.random.default_rng(0), 5
    network = Network(sa.registry.CELLS[cell](), task.inputs, hidden, 1, "float64")
    arrays = {name: rng.normal(size=shape) for name, shape in network.exported_shapes().items()}
    data = contents(sa.Model(task, network, network.absorb(arrays)))
    sums = random_sums(100, 2, seed=3)
    for trace in node(data, sums)["traces"]:
        wanted = gated(cell, hidden, trace["letters"], arrays)
        assert np.abs(np.array(trace["memories"])[1:] - wanted).max() <= 1e-12
        logits = wanted[:, :hidden] @ arrays["readout.weight"].T + arrays["readout.bias"]
        assert np.abs(np.array(trace["logits"]) - logits).max() <= 1e-12


@pytest.mark.parametrize("base", [2, 3])
def test_all_pairs(
    node: Any, contents: Contents, make_random: Callable[..., sa.Model], base: int
) -> None:
    model = make_random(sa.registry.TASKS["add"](base=base), 5)
    said = node(contents(model), [], 3)["pairs"]
    assert sorted((a, b) for a, b, _, _ in said) == [
        (a, b) for a in range(base**3) for b in range(base**3)
    ]
    predictions = list(model.predict([a for a, *_ in said], [b for _, b, *_ in said], digits=3))
    for (_, _, wrong, least), prediction in zip(said, predictions, strict=True):
        assert least == pytest.approx(prediction.min_margin, abs=1e-12)
        assert (wrong == 0) == prediction.correct


def test_all_pairs_without_a_machine(
    node: Any, contents: Contents, make_random: Callable[..., sa.Model]
) -> None:
    model = make_random(sa.registry.TASKS["mul"](), 5)
    said = node(contents(model), [], 3)["pairs"]
    assert sorted((a, b) for a, b, _, _ in said) == [(a, b) for a in range(8) for b in range(8)]
    predictions = list(model.predict([a for a, *_ in said], [b for _, b, *_ in said], digits=3))
    for (_, _, wrong, least), prediction in zip(said, predictions, strict=True):
        assert least == pytest.approx(prediction.min_margin, abs=1e-12)
        assert wrong == (prediction.predicted ^ prediction.expected).bit_count()


def test_most_significant_pairs(
    node: Any, contents: Contents, make_random: Callable[..., sa.Model]
) -> None:
    machine = sa.MealyMachine([[0, 1, 2, 0], [1, 1, 1, 1], [2, 2, 2, 2]], [[0, 1, 2, 0]] * 3, 3)
    task = Task(
        "which", "which of {} and {} is larger", 2, lambda a, b: 0, lambda *r: (0, 2), machine,
        order="most", result="symbol", symbols=("same", "first", "second"),
    )  # fmt: skip
    model = make_random(task, 2, outputs=3)
    for a, b, _, least in node(contents(model), [], 3)["pairs"]:
        letters = task.encode([[a], [b]], 3)
        *_, logits = model.program.run(letters)
        due = int(machine.run(letters[:, 0])[-1])
        others = [value for k, value in enumerate(logits[0]) if k != due]
        assert least == pytest.approx(logits[0][due] - max(others), abs=1e-12)


def test_where_the_proof_says_the_run_is(
    node: Any, contents: Contents, proved_adder: sa.Model
) -> None:
    certificate = stored_certificate(proved_adder)
    sums = random_sums(40, 2, seed=4)
    for trace in node(contents(proved_adder), sums)["traces"]:
        region, way = certificate.start, [certificate.start]
        for letter in trace["letters"]:
            region = int(certificate.successors[region, letter])
            way.append(region)
        assert trace["way"] == way
        assert [int(certificate.states[r]) for r in way] == trace["states"]
        for r, memory, distance in zip(way, trace["memories"], trace["distances"], strict=True):
            offset = (np.array(memory) - certificate.centres[r]).astype(np.float64)
            shape = certificate.shapes[r]
            at = offset / shape if shape.ndim == 1 else np.linalg.solve(shape.T, offset)
            assert distance == pytest.approx(np.abs(at).max(), rel=1e-9, abs=1e-9)


def test_a_region_of_any_shape(node: Any, contents: Contents, proved_adder: sa.Model) -> None:
    rng = np.random.default_rng(5)
    shapes, centres = rng.normal(size=(1, 3, 3)), rng.normal(size=(1, 3))
    data = contents(proved_adder)

    def encoded(array: Any) -> str:
        return base64.b64encode(array.tobytes()).decode()

    data["proof"] = {
        **data["proof"], "box": False, "start": 0, "successors": [[0] * 4], "states": [0],
        "centres": encoded(centres), "shapes": encoded(shapes),
    }  # fmt: skip
    trace = node(data, [[37, 58]])["traces"][0]
    for memory, distance in zip(trace["memories"], trace["distances"], strict=True):
        at = np.linalg.solve(shapes[0].T, np.array(memory) - centres[0])
        assert distance == pytest.approx(np.abs(at).max(), rel=1e-9)
