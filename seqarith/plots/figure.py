"""Figures without a display, and picture files that are reproducible byte for byte."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqarith.archive import check_no_archive
from seqarith.atomic import check_writable, write_bytes
from seqarith.errors import InvalidValueError, MissingExtraError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Metadata that matplotlib would write by default, such as the time and its version.
FORMATS: dict[str, dict[str, Any]] = {
    ".png": {"Software": None},
    ".svg": {"Date": None, "Creator": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
STYLE = {
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": "medium",
    "figure.dpi": 150,
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "legend.fontsize": "small",
    "savefig.dpi": 150,
    "svg.fonttype": "path",
    "svg.hashsalt": "seqarith",
}


def new_figure(
    rows: int = 1,
    columns: int = 1,
    size: tuple[float, float] = (6.4, 4.2),
    widths: Sequence[float] | None = None,
) -> tuple[Figure, list[Axes]]:
    """Return a figure and its axes, row by row; no window is opened.

    Args:
        rows: Rows of axes.
        columns: Columns of axes.
        size: Width and height in inches.
        widths: Relative widths of the columns; default: equal.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    with style():
        from matplotlib.figure import Figure

        figure = Figure(figsize=size, layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False, width_ratios=widths)
    return figure, list(grid.reshape(-1))


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Save a figure as PNG, SVG or PDF, by the file's suffix; equal figures give equal bytes.

    Raises:
        InvalidValueError: The suffix is not one of these.
        OutputError: The file cannot be written; an existing file is left unchanged.
    """
    kind = check_picture(path)
    content = io.BytesIO()
    with style():
        figure.savefig(content, format=kind[1:], metadata=FORMATS[kind])
    write_bytes(path, content.getvalue())


def check_picture(path: str | os.PathLike[str]) -> str:
    """Return the suffix of a picture file; refuse a bad path before any work is done.

    Raises:
        InvalidValueError: The suffix is not that of a picture.
        OutputError: The file cannot be written.
    """
    kind = Path(path).suffix.lower()
    if kind not in FORMATS:
        raise InvalidValueError(
            f"{path}: cannot save a picture as {kind!r}; expected {', '.join(FORMATS)}"
        )
    check_writable(path)
    check_no_archive(path)
    return kind


@contextmanager
def style() -> Iterator[None]:
    """Use the package's style instead of the user's matplotlib settings.

    A picture that is drawn and saved in this context is the same everywhere, byte for byte.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        import matplotlib
    except ImportError:
        raise MissingExtraError(
            "pictures need matplotlib, which is not installed: pip install 'seqarith[plot]'"
        ) from None
    kept: dict[Any, Any] = {"backend": matplotlib.rcParams["backend"]}
    settings: Any = {**dict(matplotlib.rcParamsDefault), **STYLE, **kept}
    with matplotlib.rc_context(settings):
        yield
