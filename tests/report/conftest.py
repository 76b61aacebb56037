"""Runs the page's program in Node, and the page in a browser, where they are installed."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seqarith as sa
from seqarith.digits import format_integer
from seqarith.report.payload import payload
from seqarith.report.regions import known

FORWARD = Path(__file__).with_name("forward.js")
ASSETS = Path(sa.__file__).parent / "report" / "assets"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="session")
def contents() -> Callable[[sa.Model], dict[str, Any]]:
    """What the page of a model is given."""
    return lambda model: payload(model, known(model), [], [])


@pytest.fixture(scope="session")
def node() -> Callable[..., Any]:
    """Run sums, and all pairs of so many digits, by the page's program."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("Node is not installed")

    def run(data: dict[str, Any], sums: Sequence[Sequence[int]], digits: int = 0) -> Any:
        texts = [[format_integer(value) for value in operands] for operands in sums]
        found = subprocess.run(
            [program, str(FORWARD), str(ASSETS)],
            input=json.dumps({"data": data, "sums": texts, "digits": digits}),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert found.returncode == 0, found.stderr
        return json.loads(found.stdout)

    return run


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A browser that is installed on this machine, driven by Playwright."""
    api = pytest.importorskip("playwright.sync_api")
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip("Chromium is not installed")
    with api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield started
        started.close()


@pytest.fixture(scope="session")
def proved_adder() -> sa.Model:
    """An adder with its certificate: three steep units."""
    task = sa.registry.TASKS["add"]()
    network = sa.Network(sa.registry.CELLS["elman"](activation="sigmoid"), 2, 3, 1, "float64")
    arrays = {
        "rnn.weight_ih_l0": np.full((3, 2), 20.0),
        "rnn.weight_hh_l0": np.tile([0.0, 20.0, 0.0], (3, 1)),
        "rnn.bias_ih_l0": -20.0 * (np.arange(3) + 0.5),
        "rnn.bias_hh_l0": np.zeros(3),
        "readout.weight": np.array([[20.0, -20.0, 20.0]]),
        "readout.bias": np.array([-10.0]),
    }
    model = sa.Model(task, network, network.absorb(arrays))
    verdict = sa.certify(model, 10)
    assert isinstance(verdict, sa.Proved)
    return sa.attach(model, verdict.certificate)
