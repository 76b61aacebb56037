"""Damage files in 20,000 ways and run every command on them: all must end well, or in one line.

A traceback, more than 1 GB of memory, an error of several lines or of more than 300 characters,
a control character on the terminal, and a file that is read as something else than it says are
failures. ``--first N --files 1`` runs one case again, alone.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agreement import disagreement
from damage import damaged
from originals import ORIGINALS, make_originals

from seqarith import cli

FILES, BATCH = 20_000, 50
SECONDS = 120  # of one case; most take some milliseconds
MEMORY = 10**9
KINDS = ("fine", "refused", "traceback", "memory", "slow", "long", "raw", "otherwise")


@dataclass(frozen=True)
class Command:
    """A command, the kind of file that it is given damaged, and its arguments ({} is the file)."""

    name: str
    kind: str
    arguments: str


COMMANDS = [
    Command("show", "model", "show {}"),
    Command("show --json", "model", "show {} --json"),
    Command("eval", "model", "eval {} --seed 1"),
    Command("predict", "model", "predict --model {} 3"),
    Command("predict (two)", "adder", "predict --model {} 37 58"),
    Command("trace", "adder", "trace --model {} 5 3"),
    Command("trace --json", "adder", "trace --model {} 5 3 --json"),
    Command("certify", "adder", "certify {} --budget 0.05 -o certified.npz --json"),
    Command("verify", "model", "verify {}"),
    Command("verify --exact", "model", "verify {} --exact"),
    Command("extract", "decimal", "extract {}"),
    Command("extract (proved)", "model", "extract {} --format json"),
    Command("show (function)", "function", "show {}"),
    Command("verify (function)", "function", "verify {} --json"),
    Command("report (function)", "function", "report {} -o page.html"),
    Command("report", "adder", "report {} -o page.html"),
    Command("plot weights", "adder", "plot weights {} -o w.png"),
    Command("plot learning", "log", "plot learning {} -o l.png"),
    Command("report --log", "log", "report adder -o page.html --log {}"),
    Command("train --resume", "checkpoint", "train --resume {} --max-steps 2002 -o t.npz"),
    Command(
        "train --resume --log",
        "log",
        "train --resume checkpoint --max-steps 2002 -o t.npz --checkpoint k --budget 0 --log {}",
    ),
    Command("eval --checkpoint", "evaluation", "eval model --bits 4 --checkpoint {}"),
]


@dataclass
class Result:
    """What became of one case."""

    number: int
    command: str
    kind: str
    said: str = ""
    seconds: float = 0.0


class TooSlow(BaseException):
    """A case took longer than `SECONDS`."""


def case(number: int, seed: int) -> tuple[Command, bytes]:
    """Return the command of a case, and its damaged file."""
    rng = random.Random(f"{seed} {number}")
    command = COMMANDS[number % len(COMMANDS)]
    return command, damaged(Path(command.kind).read_bytes(), rng)


def tried(number: int, seed: int) -> Result:
    """Run one case in this process, in the folder of the originals."""
    command, content = case(number, seed)
    place = Path("damaged" + ORIGINALS[command.kind])
    place.write_bytes(content)
    for left in ("k", "certified.npz", "t.npz"):
        Path(left).unlink(missing_ok=True)
    out, err = io.StringIO(), io.StringIO()
    begin = time.perf_counter()
    kind, said = _run(command.arguments.format(place).split(), out, err)
    if kind == "fine":
        kind, said = _judged(out.getvalue(), err.getvalue(), "--json" in command.arguments)
    if kind == "fine":
        place.write_bytes(content)  # an evaluation goes on in its checkpoint
        otherwise = disagreement(command.kind, place)
        kind, said = ("otherwise", otherwise) if otherwise else (kind, said)
    return Result(number, command.name, kind, said, time.perf_counter() - begin)


def _run(arguments: list[str], out: io.StringIO, err: io.StringIO) -> tuple[str, str]:
    sys.argv = ["seqarith", *arguments]
    signal.signal(signal.SIGALRM, _too_slow)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            cli.main()
    except SystemExit as error:
        expected = error.code in (0, 1, 2, 3, 4)
        return ("fine", "") if expected else ("traceback", f"exit code {error.code}")
    except TooSlow:
        return "slow", " ".join(arguments)
    except MemoryError:
        return "memory", ""
    except BaseException:  # whatever it is, it is what is counted here
        return "traceback", traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return "fine", ""


def _too_slow(number: int, frame: Any) -> None:
    raise TooSlow


def _judged(out: str, err: str, is_json: bool) -> tuple[str, str]:
    """Judge what was printed."""
    errors = [line for line in err.split("\n") if line.startswith("Error")]
    if "not enough memory" in err:
        return "memory", err
    if any(len(line) > 300 for line in err.split("\n")):
        return "long", err[:1000]
    if errors and err.rstrip("\n") != errors[0]:
        return "long", err[:1000]
    for line in (out + err).split("\n"):
        if not line.isprintable():
            return "raw", repr(line)[:1000]
    if is_json and not errors:
        json.loads(out, parse_constant=lambda name: 1 / 0)
    return ("refused" if errors else "fine"), (errors or [""])[0]


def batch(numbers: range, seed: int) -> Iterator[Result]:
    """Run cases in a process of their own, which may die of one."""
    todo = list(numbers)
    while todo:
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            _work(todo, seed, writer)
        os.close(writer)
        with os.fdopen(reader) as file:
            found = [Result(**json.loads(line)) for line in file if line.endswith("\n")]
        status = os.waitpid(child, 0)[1]
        yield from found
        todo = todo[len(found) :]
        if todo and status:
            number = todo.pop(0)
            name = COMMANDS[number % len(COMMANDS)].name
            yield Result(number, name, "traceback", f"the process ended with status {status}")


def _work(numbers: list[int], seed: int, writer: int) -> None:
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + MEMORY, held + MEMORY))
    status = 1
    try:
        with os.fdopen(writer, "w") as file:
            for number in numbers:
                file.write(json.dumps(vars(tried(number, seed))) + "\n")
                file.flush()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)  # the folder is the parent's to remove


@dataclass
class Table:
    """How often each command ended in which way."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    slowest: dict[str, float] = field(default_factory=dict)

    def add(self, result: Result) -> None:
        self.counts.setdefault(result.command, Counter())[result.kind] += 1
        slowest = max(self.slowest.get(result.command, 0), result.seconds)
        self.slowest[result.command] = slowest

    def lines(self) -> Iterator[str]:
        yield f"{'command':<22}" + "".join(f"{kind:>10}" for kind in KINDS) + "   slowest"
        for name, counts in self.counts.items():
            row = "".join(f"{counts[kind]:>10,}" for kind in KINDS)
            yield f"{name:<22}{row}{self.slowest[name]:8.1f} s"
        total = sum(self.counts.values(), Counter[str]())
        yield f"{'all':<22}" + "".join(f"{total[kind]:>10,}" for kind in KINDS)


def run(files: int, seed: int, tell: Callable[[Result], None], first: int = 0) -> Table:
    """Run cases in a folder of their own; return the table."""
    table, home = Table(), Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            make_originals()
            for start in range(first, first + files, BATCH):
                numbers = range(start, min(start + BATCH, first + files))
                for result in batch(numbers, seed):
                    table.add(result)
                    if result.kind not in ("fine", "refused"):
                        tell(result)
        finally:
            os.chdir(home)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=FILES)
    parser.add_argument("--first", type=int, default=0, help="Number of the first case.")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    begin = time.perf_counter()

    def tell(result: Result) -> None:
        print(f"{result.number} {result.command}: {result.kind}: {result.said}", flush=True)

    table = run(options.files, options.seed, tell, options.first)
    print("\n".join(table.lines()))
    print(f"{options.files:,} files in {time.perf_counter() - begin:.0f} s")


if __name__ == "__main__":
    main()
