"""Time whole commands against bare imports, in turn, in one run."""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from statistics import median

COMMANDS = {
    "import click": ["-c", "import click"],
    "import numpy, click": ["-c", "import numpy, click"],
    "seqarith --help": ["-m", "seqarith", "--help"],
    "seqarith predict 37 58": ["-m", "seqarith", "predict", "37", "58"],
    "seqarith train add --bits 8": ["-m", "seqarith", "train", "add", "--bits", "8"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    # Compiled modules are kept, as everywhere: otherwise the sources would be compiled every time.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(runs + 1):  # the first round warms the file cache and is not counted
            for name, arguments in COMMANDS.items():
                start = time.perf_counter()
                subprocess.run(
                    [sys.executable, *arguments],
                    cwd=folder,
                    env=environment,
                    capture_output=True,
                    check=True,
                )
                seconds[name].append(time.perf_counter() - start)
    click, both = seconds["import click"], seconds["import numpy, click"]
    print(f"{'command':<30} median ms  / import click  / import numpy, click")
    for name, times in seconds.items():
        ratios = [
            median(a / b for a, b in zip(times[1:], base[1:], strict=True))
            for base in (click, both)
        ]
        print(f"{name:<30} {1000 * median(times[1:]):9.0f}  {ratios[0]:14.2f}  {ratios[1]:21.2f}")


if __name__ == "__main__":
    main()
