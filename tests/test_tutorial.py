"""The tutorial, against its own figures and against its loop written once more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seqarith as sa
from seqarith.network import READOUT
from seqarith.training.progress import Report
from seqarith.training.tutorial import tutorial_draws, tutorial_parameters

REFERENCE = json.loads((Path(__file__).parent / "data" / "tutorial-seed0.json").read_text())


def run(seed: int, iterations: int) -> tuple[list[dict[str, Any]], sa.Run, list[str]]:
    records: list[dict[str, Any]] = []
    texts: list[str] = []

    def report(found: Report) -> None:
        records.append(found.record())
        texts.append(found.text())

    result = sa.Trainer(sa.tutorial_config(seed, iterations)).run(sa.Hooks(report=report))
    return records, result, texts


@pytest.fixture(scope="module")
def seed_zero() -> tuple[list[dict[str, Any]], sa.Run, list[str]]:
    return run(0, REFERENCE["iterations"])


def weights_of(model: sa.Model) -> dict[str, Any]:
    arrays = model.network.export(model.parameters)
    return {
        "weight_input": arrays["rnn.weight_ih_l0"].T,
        "weight_output": arrays["readout.weight"].T,
        "weight_hidden": arrays["rnn.weight_hh_l0"].T,
    }


def test_initial_weights() -> None:
    network = sa.tutorial_config().network
    kernels = tutorial_parameters(network, 0)
    model = sa.Model(sa.registry.TASKS["add"](), network, network.unpack(kernels))
    for name, array in weights_of(model).items():
        np.testing.assert_allclose(array, REFERENCE["initial"][name], rtol=0, atol=1e-9)


def test_every_row_of_the_report(
    seed_zero: tuple[list[dict[str, Any]], sa.Run, list[str]],
) -> None:
    records, _, _ = seed_zero
    assert len(records) == len(REFERENCE["rows"]) == 10
    for record, row in zip(records, REFERENCE["rows"], strict=True):
        assert list(record) == ["iteration", "error", "a", "b", "predicted", "expected"]
        assert record["error"] == pytest.approx(row["error"], abs=1e-9)
        for key, theirs in [("a", "a"), ("b", "b"), ("predicted", "predicted")]:
            assert record[key] == row[theirs]
        assert (record["iteration"], record["expected"]) == (row["iteration"], row["true"])


def test_final_weights(
    seed_zero: tuple[list[dict[str, Any]], sa.Run, list[str]],
) -> None:
    _, result, _ = seed_zero
    assert result.steps == 10_000
    for name, array in weights_of(result.model).items():
        np.testing.assert_allclose(array, REFERENCE["final"][name], rtol=0, atol=1e-9)


def test_in_words(
    seed_zero: tuple[list[dict[str, Any]], sa.Run, list[str]],
) -> None:
    _, _, texts = seed_zero
    lines = texts[0].splitlines()
    assert lines[0] == "Iteration 0"
    assert lines[1].startswith("Error: 3.4563866")
    assert lines[2] == "Pred:  [0 0 0 0 0 0 0 1]"
    assert lines[3] == "True:  [0 1 0 0 0 1 0 1]"
    assert lines[4] == "9 + 60 = 1"


def written_again(seed: int, iterations: int) -> tuple[dict[str, Any], list[list[Any]]]:
    """Train as the tutorial does: position after position, gradients by hand."""
    draw = np.random.RandomState(seed)
    into = 2 * draw.random_sample((2, 16)) - 1
    out = 2 * draw.random_sample((16, 1)) - 1
    across = 2 * draw.random_sample((16, 16)) - 1
    rows: list[list[Any]] = []

    def squash(x: Any) -> Any:
        return 1 / (1 + np.exp(-x))

    for iteration in range(iterations):
        a, b = draw.randint(128), draw.randint(128)
        bits = [(a >> p & 1, b >> p & 1, (a + b) >> p & 1) for p in range(8)]
        memories = [np.zeros(16)]
        errors, said = [], 0
        for x, y, z in bits:
            memories.append(squash(np.array([x, y]) @ into + memories[-1] @ across))
            guess = float(squash(memories[-1] @ out)[0])
            errors.append((guess - z, guess * (1 - guess)))
            said += (guess > 0.5) << len(errors) - 1
        if iteration % 1000 == 0:
            rows.append([iteration, sum(abs(e) for e, _ in errors), a, b, said, a + b])
        d_into, d_out, d_across = (np.zeros_like(w) for w in (into, out, across))
        later = np.zeros(16)
        for p in range(7, -1, -1):
            error, slope = errors[p]
            hidden = memories[p + 1]
            at_output = error * slope
            d_out += np.outer(hidden, [at_output])
            later = (across @ later + out[:, 0] * at_output) * hidden * (1 - hidden)
            d_across += np.outer(memories[p], later)
            d_into += np.outer(bits[p][:2], later)
        into -= 0.1 * d_into
        out -= 0.1 * d_out
        across -= 0.1 * d_across
    return {"weight_input": into, "weight_output": out, "weight_hidden": across}, rows


@pytest.mark.parametrize("seed", [1, 4_000_000_000])
def test_other_seeds_against_the_loop_written_again(seed: int) -> None:
    records, result, _ = run(seed, 1001)
    weights, rows = written_again(seed, 1001)
    for name, array in weights_of(result.model).items():
        np.testing.assert_allclose(array, weights[name], rtol=0, atol=1e-9)
    assert len(records) == len(rows) == 2
    for record, row in zip(records, rows, strict=True):
        found = list(record.values())
        assert found[1] == pytest.approx(row[1], abs=1e-9)
        assert found[:1] + found[2:] == row[:1] + row[2:]


def test_a_shorter_run_is_the_beginning_of_a_longer_one() -> None:
    _, short = tutorial_draws(9, 10)
    _, long = tutorial_draws(9, 2000)
    assert (long[:10] == short).all()


def test_settings() -> None:
    config = sa.tutorial_config(7)
    assert config.max_steps == 10_000
    assert (config.network.inputs, config.network.hidden, config.network.outputs) == (2, 16, 1)
    assert set(config.network.kernels()) == {"rnn", READOUT}
    assert config.network.size == 2 * 16 + 16 + 16 * 16
