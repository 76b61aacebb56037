"""Measure contenders side by side: in turn, in one run, on one core, told as ratios.

To be imported before NumPy: it takes one core, and one thread, for this process and its children.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any

import seqarith

RESULTS = Path(__file__).with_name("results.json")
ROUNDS, TURN = 21, 0.02
"""Rounds, and least seconds that a contender works in each."""

PACKAGES = ("jax", "numpy", "onnxruntime", "optax", "seqarith", "torch")
THREADS = {
    **dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"), "1"),
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}

Run = Callable[[int], object]
"""Does its work so many times."""


def hold_one_core() -> None:
    """Bind this process and its children to one core, and libraries to one thread."""
    os.environ.update(THREADS)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


@dataclass(frozen=True)
class Spread:
    """Median and quartiles."""

    low: float
    middle: float
    high: float

    @staticmethod
    def of(numbers: Iterable[float]) -> Spread:
        known = list(numbers)
        if len(known) == 1:
            known *= 2
        return Spread(*quantiles(known, n=4, method="inclusive"))


@dataclass(frozen=True)
class Row:
    """What a contender needed for a case.

    Attributes:
        case: What was done.
        contender: Who did it.
        seconds: Once.
        ratio: Its seconds over those of the first contender, round by round; None for the first.
        wanted: The ratio that this project has set itself, None where there is none.
        remark: What else there is to say.
    """

    case: str
    contender: str
    seconds: Spread | None
    ratio: Spread | None = None
    wanted: float | None = None
    remark: str = ""


@dataclass(frozen=True)
class Fact:
    """One number, and the most or least that it should be."""

    what: str
    value: float
    unit: str = ""
    wanted: str = ""


@dataclass
class Figure:
    """What one script has measured."""

    title: str
    text: str
    rows: list[Row] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    image: str = ""

    def compare(
        self,
        case: str,
        contenders: Mapping[str, Run],
        wanted: Mapping[str, float] | None = None,
        remarks: Mapping[str, str] | None = None,
        rounds: int = ROUNDS,
    ) -> None:
        """Time contenders for a case; the first is what the others are compared with."""
        seconds = alternate(contenders, rounds)
        for name, ratio in ratios(seconds).items():
            spread, said = Spread.of(seconds[name]), (remarks or {}).get(name, "")
            self.add(Row(case, name, spread, ratio, (wanted or {}).get(name), said))

    def add(self, row: Row) -> None:
        """Note a row, and print it."""
        self.rows.append(row)
        time_, ratio = row.seconds, row.ratio
        said = f"{1000 * time_.middle:12.3f} ms" if time_ else f"{'not run':>15}"
        if ratio:
            said += f"   x {ratio.middle:7.2f} ({ratio.low:.2f} to {ratio.high:.2f})"
        if row.wanted is not None:
            said += f", wanted {row.wanted:g}"
        print(f"{row.case:34} {row.contender:30} {said} {row.remark}", flush=True)

    def note(self, fact: Fact) -> None:
        """Note a fact, and print it."""
        self.facts.append(fact)
        print(f"{fact.what}: {fact.value:.4g} {fact.unit} {fact.wanted}", flush=True)


def ratios(seconds: Mapping[str, Sequence[float]]) -> dict[str, Spread | None]:
    """Return how many times as long as the first each contender took, round by round.

    None for the first. The two times of a ratio were measured in the same round, so that what
    slows the machine for a while is in both.
    """
    first, *others = seconds
    pairs = {name: zip(seconds[name], seconds[first], strict=True) for name in others}
    return {first: None} | {name: Spread.of(a / b for a, b in each) for name, each in pairs.items()}


def alternate(contenders: Mapping[str, Run], rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Return the seconds that each contender needs once, one number a round.

    Args:
        contenders: What to run. In every round each has its turn, of at least `TURN` seconds.
        rounds: How many.
    """
    often = {}
    for name, run in contenders.items():
        run(1)  # makes buffers, compiles, fills caches
        often[name] = max(1, round(TURN / max(_seconds(run, 1), 1e-9)))
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            seconds[name].append(_seconds(run, often[name]) / often[name])
    return seconds


def _seconds(run: Run, count: int) -> float:
    start = time.perf_counter()
    run(count)
    return time.perf_counter() - start


def machine() -> dict[str, Any]:
    """Return what the figures were measured on."""
    about = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.*)", about.read_text()) if about.exists() else None
    return {
        "processor": found[1] if found else platform.processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: version for name in PACKAGES if (version := _version(name))},
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }


def _version(name: str) -> str:
    if name == "seqarith":  # its metadata are those of when it was installed
        return seqarith.__version__
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def save(name: str, figure: Figure, path: Path) -> None:
    """Put a figure into a file of results, beside those that it holds."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"figures": {}}
    known["figures"][name] = {**asdict(figure), "measured on": machine()}
    path.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")


def main(name: str, measure: Callable[[], Figure]) -> None:
    """Run a script: measure, and save where that is asked for."""
    parser = argparse.ArgumentParser(description=f"Measures {name.replace('_', ' ')}.")
    parser.add_argument("--save", type=Path, metavar="FILE", help="add the figure to FILE (JSON)")
    path = parser.parse_args().save
    figure = measure()
    if path:
        save(name, figure, path)


hold_one_core()
