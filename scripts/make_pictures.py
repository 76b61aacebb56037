"""Make the pictures of the tutorial again, with the commands that a reader would type.

    python scripts/make_pictures.py [FOLDER]

FOLDER is docs/images by default. The same code on the same machine gives the same bytes.
Needed: the extra 'plot'.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

IMAGES = Path(__file__).parent.parent / "docs" / "images"
RUNS = 20
LEAKY, WORSE = 4, 14  # seeds of the tutorial that are exact at 7 bits and wrong at some width


def commands(images: Path) -> Iterator[str]:
    """Yield the arguments of every command, in order."""
    for seed in range(RUNS):
        files = f"--log run-{seed}.jsonl -o tutorial-{seed}.npz"
        yield f"train add --preset tutorial --seed {seed} {files}"
    logs = " ".join(f"run-{seed}.jsonl" for seed in range(RUNS))
    yield f"plot learning {logs} -o {images}/tutorial-learning.svg"
    yield "train add --bits 8 -o proved.npz"
    yield f"plot trajectories proved.npz --bits 8 -o {images}/tutorial-proved.png"
    yield f"plot machine proved.npz -o {images}/tutorial-machine.svg"
    leaky, worse = f"tutorial-{LEAKY}.npz", f"tutorial-{WORSE}.npz"
    yield f"plot trajectories {leaky} --bits 8 -o {images}/tutorial-leaky.png"
    yield f"plot widths {worse} -o {images}/tutorial-widths.svg"
    yield f"plot chains {worse} --bits 32 --samples 50000 -o {images}/tutorial-chains.svg"


def make(images: Path) -> None:
    """Run all commands in a folder that is thrown away."""
    images.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for command in commands(images.resolve()):
            print(f"seqarith {command}")
            _run(command, folder)


def _run(command: str, folder: str) -> None:
    program = [sys.executable, "-m", "seqarith", *command.split()]
    done = subprocess.run(program, cwd=folder, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"exit code {done.returncode}: {done.stdout}{done.stderr}")


def main() -> None:
    """Read the command line."""
    if len(sys.argv) > 2:
        sys.exit("usage: make_pictures.py [FOLDER]")
    make(Path(sys.argv[1]) if len(sys.argv) == 2 else IMAGES)


if __name__ == "__main__":
    main()
