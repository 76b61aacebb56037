"""Make the models that ship inside the package: run it from the repository's root.

The test suite trains them again and compares: the files are what this script makes. They are
float64, so that the last bits in which machines and NumPy versions differ stay small.
"""

import os

for _variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

from pathlib import Path

import seqarith as sa
from seqarith.model import SHIPPED

FOLDER = Path(sa.__file__).parent / "models"


def make(task: str) -> sa.Model:
    """Train the model of one task."""
    result = sa.train(task, bits=8, dtype="float64", seed=0)
    if not result.reached:
        raise SystemExit(f"{task} is not proved after {result.steps} steps")
    return result.model


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in SHIPPED:
        make(name).save(FOLDER / f"{name}.npz")
        print(f"made {FOLDER.name}/{name}.npz")
