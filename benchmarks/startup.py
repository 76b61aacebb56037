"""Time whole commands against bare imports, in turn, in one run.

Commands run NumPy with one BLAS thread, which starts faster than two: hence the bare imports with
one thread as well, the harder measure.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

COMMANDS = {
    "import click": ["-c", "import click"],
    "import numpy, click": ["-c", "import numpy, click"],
    "import numpy, click (1 thread)": ["-c", "import numpy, click"],
    "seqarith --help": ["-m", "seqarith", "--help"],
    "seqarith predict 37 58": ["-m", "seqarith", "predict", "37", "58"],
    "seqarith train add --bits 8": ["-m", "seqarith", "train", "add", "--bits", "8"],
}


BASES = ("import click", "import numpy, click", "import numpy, click (1 thread)")


def measure(runs: int) -> dict[str, list[float]]:
    """Return the seconds of every command, run by run."""
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    # Compiled modules are kept, as everywhere: otherwise the sources would be compiled every time.
    hidden = ("PYTHONDONTWRITEBYTECODE", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
    environment = {k: v for k, v in os.environ.items() if k not in hidden}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(runs + 1):
            for name, arguments in COMMANDS.items():
                one = {"OPENBLAS_NUM_THREADS": "1"} if name.endswith("(1 thread)") else {}
                start = time.perf_counter()
                subprocess.run(
                    [sys.executable, *arguments],
                    cwd=folder,
                    env={**environment, **one},
                    capture_output=True,
                    check=True,
                )
                seconds[name].append(time.perf_counter() - start)
    # The first round warms the file cache and is not counted.
    return {name: times[1:] for name, times in seconds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    seconds = measure(options.runs)
    rows = []
    print(f"{'command':<32} median ms  over {'  '.join(BASES)}")
    for name, times in seconds.items():
        ratios = {
            base: median(a / b for a, b in zip(times, seconds[base], strict=True)) for base in BASES
        }
        shown = "  ".join(f"{ratio:{len(base)}.2f}" for base, ratio in ratios.items())
        print(f"{name:<32} {1000 * median(times):9.0f}       {shown}")
        rows.append({"name": name, "seconds": median(times), "ratios": ratios})
    if options.json:
        record = {"benchmark": "startup", "runs": options.runs, "rows": rows}
        options.json.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
