"""Write docs/benchmarks.md from benchmarks/results.json: every figure that was measured.

``make bench`` measures, and runs it at the end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
RESULTS, PAGE = ROOT / "benchmarks" / "results.json", ROOT / "docs" / "benchmarks.md"
ORDER = (
    "training_step",
    "tutorial",
    "whole_command",
    "evaluation",
    "exhaustive",
    "certification",
    "networks",
    "batch",
    "growth",
)
"""What comes first; figures of other names follow in the order of the file."""

INTRODUCTION = """# Speed

<!-- Written by scripts/make_benchmark_page.py from results.json; run make bench instead. -->

You can repeat all measurements with `make bench`, which makes its own environment from
`benchmarks/requirements.txt`. Contenders take turns in one run, on one core and with one thread,
unless a table says otherwise. *Time* is the median. *Ratio* is the contender's time divided by
that of the first line of its case, computed for each round: the median, with the quartiles in
brackets. *Target* is the goal that was set before measuring: a minimal ratio, or what the table
says.
"""

NOT_REACHED = """## Targets not reached

- *A step of one word, or of 64 words, three times faster than JAX.* A step of one word takes about
  70 NumPy calls of 0.15 to 0.3 µs. With 64 words, half of the time is spent in matrix products
  that take BLAS 0.8 µs each. The rest is the fixed cost of NumPy calls, and the recurrence needs
  at least one call per step.
- *A step of 256 words five times faster than PyTorch and two times faster than JAX.* Two thirds of
  the time is spent in matrix products at 80 to 95 GFLOP/s, the rate that OpenBLAS reaches with 32
  units. JAX with unrolled steps takes as long.
- *GRU and LSTM faster than JAX in every row.* They are faster than `scan`. The unrolled program is
  faster with one word, and as fast with the GRU of 32 units.
- *The tutorial eight times faster.* Four fifths of an iteration are the two passes over one word
  of eight digits, and the order of sums is given by the tutorial.
- *Twenty times faster than the tutorial's loop to exactness.* That loop needs less than two
  seconds; a twentieth of that is about the time of `import numpy, click`.
- *Exponents of at most one.* Time grows a little faster than the number of bits or of networks
  when the buffers no longer fit the cache.
"""


def page(results: dict[str, Any]) -> str:
    """Return the page."""
    figures: dict[str, Any] = results["figures"]
    names = [name for name in ORDER if name in figures]
    names += [name for name in figures if name not in ORDER]
    sections = ("\n".join(_figure(figures[name])) for name in names)
    return "\n".join([INTRODUCTION, *sections, NOT_REACHED])


def _figure(figure: dict[str, Any]) -> Iterator[str]:
    yield f"## {figure['title']}\n"
    yield f"{figure['text']}\n"
    yield f"{_machine(figure['measured on'])}\n"
    if figure["image"]:
        yield f"![{figure['title']}: what was measured, and the exponents]({figure['image']})\n"
    if figure["rows"]:
        yield "| case | contender | time | ratio | target | |\n|---|---|--:|--:|--:|---|"
        before = ""
        for row in figure["rows"]:
            yield _row(row, row["case"] == before)
            before = row["case"]
        yield ""
    if figure["facts"]:
        yield "| | | target |\n|---|--:|---|"
        for fact in figure["facts"]:
            value = f"{_number(fact['value'])} {fact['unit']}".strip()
            yield f"| {fact['what']} | {value} | {fact['wanted']} |"
        yield ""


def _machine(about: dict[str, Any]) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in about["packages"].items())
    return (
        f"{about['date']}, {about['processor']}, {about['cores']} cores, {about['system']}, "
        f"Python {about['python']}, {packages}."
    )


def _row(row: dict[str, Any], repeated: bool) -> str:
    ratio = row["ratio"]
    cells = (
        "" if repeated else row["case"],
        row["contender"],
        _time(row["seconds"]["middle"]) if row["seconds"] else "",
        f"{ratio['middle']:.2f} ({ratio['low']:.2f} to {ratio['high']:.2f})" if ratio else "",
        "" if row["wanted"] is None else f"{row['wanted']:g}",
        _remark(row),
    )
    return f"| {' | '.join(cells)} |"


def _remark(row: dict[str, Any]) -> str:
    missed = row["ratio"] and row["wanted"] and row["ratio"]["middle"] < row["wanted"]
    return ", ".join(filter(None, ("**not reached**" if missed else "", row["remark"])))


def _time(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{_number(seconds / size)} {unit}"
    return f"{_number(seconds / 1e-6)} µs"


def _number(value: float) -> str:
    """Return a number in three digits."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


if __name__ == "__main__":
    known = json.loads(RESULTS.read_text(encoding="utf-8"))
    PAGE.write_text(page(known), encoding="utf-8")
