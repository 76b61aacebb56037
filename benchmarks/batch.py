"""Time `seqarith predict` over a file of pairs, and what its time is spent on."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from seqarith import Model
from seqarith.cli.answers import text_lines
from seqarith.cli.operands import operand_blocks

PARTS = ("parsing", "network", "formatting")


def write_pairs(path: Path, count: int, bits: int) -> None:
    rng = np.random.default_rng(0)
    with path.open("w") as file:
        for start in range(0, count, 2**16):
            pairs = rng.integers(0, 2**bits, (min(2**16, count - start), 2))
            file.write("".join(f"{a} {b}\n" for a, b in pairs.tolist()))


def command(path: Path, as_json: bool = False, piped: bool = False) -> tuple[float, float]:
    """Return seconds and greatest memory, in MB, of a whole command."""
    arguments = ["predict", *(["-"] if piped else ["--input", str(path)]), *["--json"] * as_json]
    source = subprocess.Popen(["cat", str(path)], stdout=subprocess.PIPE) if piped else None
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "seqarith", *arguments],
        stdin=source.stdout if source else subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=path.parent,
        env=environment,
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if source:
        source.communicate()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"the command ended with {process.returncode}")
    return seconds, usage.ru_maxrss / 1024


def shares(path: Path) -> dict[str, float]:
    """Return the seconds that each part of the work takes, in this process."""
    model = Model.shipped("add")
    spent = dict.fromkeys(PARTS, 0.0)
    with path.open("rb") as file:
        blocks = operand_blocks(file, model.task, path.name)
        clock = time.perf_counter
        start = clock()
        for operands in blocks:
            parsed = clock()
            answers = model.answer(operands)
            answered = clock()
            "\n".join(text_lines(answers))
            end = clock()
            for part, seconds in zip(
                PARTS, (parsed - start, answered - parsed, end - answered), strict=True
            ):
                spent[part] += seconds
            start = clock()
    return spent


def measure(pairs: int, bits: int, runs: int) -> list[dict[str, float | str]]:
    rows: list[dict[str, float | str]] = []
    with tempfile.TemporaryDirectory() as folder:
        few, many = Path(folder) / "few", Path(folder) / "many"
        write_pairs(few, pairs // 10, bits)
        write_pairs(many, pairs, bits)
        for name, path, how in (
            ("--input, a tenth of the pairs", few, {}),
            ("--input", many, {}),
            ("--input --json", many, {"as_json": True}),
            ("cat | predict -", many, {"piped": True}),
        ):
            found = [command(path, **how) for _ in range(runs)]
            seconds = median(each for each, _ in found)
            count = pairs // 10 if path == few else pairs
            row: dict[str, float | str] = {"name": name, "pairs": count, "seconds": seconds}
            row |= {"pairs_per_second": count / seconds, "max_rss_mb": max(mb for _, mb in found)}
            rows.append(row)
        timed = [shares(many) for _ in range(runs)]
    parts = {part: median(each[part] for each in timed) for part in PARTS}
    rows.extend(
        {"name": part, "seconds": spent, "share": spent / sum(parts.values())}
        for part, spent in parts.items()
    )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=1_000_000)
    parser.add_argument("--bits", type=int, default=32)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    rows = measure(options.pairs, options.bits, options.runs)
    print(f"{options.pairs:,} pairs of {options.bits} bits, median of {options.runs} runs")
    for row in rows:
        if "share" in row:
            print(f"  {row['name']:<28} {row['seconds']:6.2f} s  {row['share']:6.1%}")
        else:
            rate = f"{row['pairs_per_second']:9,.0f} pairs/s  {row['max_rss_mb']:4.0f} MB"
            print(f"{row['name']:<30} {row['seconds']:6.2f} s  {rate}")
    if options.json:
        record = {"benchmark": "batch", "pairs": options.pairs, "bits": options.bits, "rows": rows}
        options.json.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
