"""Damage a model file in 10,000 ways; each must be refused, or still hold the same parameters."""

import argparse
import random
import tempfile
from pathlib import Path

import numpy as np

import seqarith as sa


def damaged(content: bytes, rng: random.Random) -> bytes:
    """Return the content with a bit flipped, a block overwritten, cut off, removed or doubled."""
    kind = rng.randrange(5)
    place = rng.randrange(len(content))
    length = rng.choice((1, 2, 8, 64, 512))
    if kind == 0:
        return (
            content[:place] + bytes([content[place] ^ 1 << rng.randrange(8)]) + content[place + 1 :]
        )
    if kind == 1:
        return content[:place] + rng.randbytes(length) + content[place + length :]
    if kind == 2:
        return content[:place]
    if kind == 3:
        return content[:place] + content[place + length :]
    return content[:place] + content[place : place + length] + content[place:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    files = parser.parse_args().files
    model = sa.Model.shipped("add")
    rng = random.Random(0)
    refused = correct = other = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.npz"
        model.save(path)
        content = path.read_bytes()
        for _ in range(files):
            path.write_bytes(damaged(content, rng))
            try:
                found = sa.Model.load(path)
            except sa.ModelFileError:
                refused += 1
            except BaseException as error:
                other += 1
                print("not a ModelFileError:", repr(error))
            else:
                same = np.array_equal(found.parameters.flat, model.parameters.flat)
                correct += same and found.header() == model.header()
                other += not (same and found.header() == model.header())
    print(
        f"of {files} damaged files {refused} were refused, {correct} loaded right, {other} neither"
    )


if __name__ == "__main__":
    main()
