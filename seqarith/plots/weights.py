"""The weights of a network as a Hinton diagram."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seqarith.errors import InvalidValueError
from seqarith.model import Model

if TYPE_CHECKING:
    from matplotlib.axes import Axes

READOUT = "readout.weight"


def weights(axes: Axes, model: Model, name: str) -> None:
    """Draw one array of a model as squares: the area is the size, white is positive.

    So sign and size are visible without colour. A row is a hidden unit; the readout's array is
    transposed for this. Gates are stacked vertically.

    Args:
        axes: Axes to draw into.
        model: The model.
        name: Name of an array in the model file, for example ``"rnn.weight_hh_l0"``.

    Raises:
        InvalidValueError: The model has no such array.

    Source: G. E. Hinton, T. Shallice, Lesioning an Attractor Network (1991), figure 3.
    """
    from matplotlib.collections import PolyCollection

    arrays = model.network.export(model.parameters)
    if name not in arrays:
        raise InvalidValueError(f"unknown array {name!r}: the model has {', '.join(arrays)}")
    array = arrays[name]
    table = array.T if name == READOUT else array.reshape(len(array), -1)
    largest = float(np.abs(table).max())
    rows, columns = np.nonzero(table)
    half = 0.46 * np.sqrt(np.abs(table[rows, columns]) / (largest or 1))
    corner = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    squares = np.stack([columns, rows], axis=1)[:, None] + half[:, None, None] * corner
    faces = np.where(table[rows, columns] > 0, "white", "black")
    axes.add_collection(PolyCollection(list(squares), facecolors=faces.tolist(), edgecolors="none"))
    axes.set_facecolor("#999999")
    height, width = table.shape
    axes.set(xlim=(-0.6, width - 0.4), ylim=(height - 0.4, -0.6), aspect="equal")
    axes.set_title(f"{name}\n{f'largest {largest:.3g}' if largest else 'all 0'}", fontsize="small")
    axes.set(xlabel=_across(name), ylabel="output" if name == "readout.bias" else "hidden unit")
    axes.set_anchor("N")
    axes.set(xticks=_ticks(width) if width > 1 else [], yticks=_ticks(height))


def _across(name: str) -> str:
    if "bias" in name:
        return "bias"
    if name == READOUT:
        return "output"
    return "input" if "_ih" in name else "from hidden unit"


def _ticks(count: int) -> list[int]:
    return list(range(0, count, max(1, -(-count // 8))))
