"""Run every measurement, one after another, and write the page: what ``make bench`` does.

Run: ``python benchmarks/everything.py [NAME ...]``, from the repository's root. The results are put
into ``benchmarks/results.json`` beside those of other scripts; the page is made of that file.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SCRIPTS = (
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
"""In the order of the page. Each takes ``--save FILE``."""


def main(names: list[str]) -> None:
    results = HERE / "results.json"
    for name in names or SCRIPTS:
        print(f"\n{name}", flush=True)
        script = HERE / f"{name}.py"
        subprocess.run([sys.executable, str(script), "--save", str(results)], check=True)
    subprocess.run(
        [sys.executable, str(HERE.parent / "scripts" / "make_benchmark_page.py")], check=True
    )


if __name__ == "__main__":
    main(sys.argv[1:])
