"""Kill a checkpointed run outright at random moments, resume it, and compare the bytes."""

import argparse
import hashlib
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TRAIN = [
    *("train", "add", "--bits", "8", "--hidden", "32", "--goal", "steps", "--max-steps", "4000"),
    *("--checkpoint", "run.ckpt", "--checkpoint-every", "20", "--log", "run.jsonl"),
]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "seqarith", *arguments]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    kills = parser.parse_args().kills
    rng = random.Random(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start = time.perf_counter()
        subprocess.run(command(*TRAIN), cwd=folder, check=True, capture_output=True)
        whole = time.perf_counter() - start
        expected = digest(folder / "model.npz")
        same = interrupted = 0
        for _ in range(kills):
            for file in folder.iterdir():
                file.unlink()
            process = subprocess.Popen(
                command(*TRAIN), cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            time.sleep(rng.uniform(0.15, 0.9) * whole)
            process.kill()
            interrupted += process.wait() < 0
            if not (folder / "run.ckpt").exists():
                (folder / "run.jsonl").unlink(missing_ok=True)
            resume = ["--resume", "run.ckpt"] if (folder / "run.ckpt").exists() else []
            subprocess.run(command(*TRAIN, *resume), cwd=folder, check=True, capture_output=True)
            left = {file.name for file in folder.iterdir() if not file.name.startswith(".")}
            same += digest(folder / "model.npz") == expected
            assert left == {"model.npz", "run.ckpt", "run.jsonl"}, left
    print(f"{interrupted} of {kills} runs were killed; {same} of {kills} ended with the same bytes")


if __name__ == "__main__":
    main()
