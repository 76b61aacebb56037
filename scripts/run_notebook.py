"""Run docs/tutorial.ipynb from top to bottom and store what its cells show, without Jupyter.

Run it after the notebook was changed: python scripts/run_notebook.py
"""

from __future__ import annotations

import ast
import io
import json
import os
import tempfile
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

NOTEBOOK = Path(__file__).parent.parent / "docs" / "tutorial.ipynb"
Cell = dict[str, Any]


def run(cells: list[Cell]) -> list[Cell]:
    """Return the cells with what they show, run in their order in one namespace."""
    names: dict[str, Any] = {"__name__": "__main__"}
    number, done = 0, []
    for cell in cells:
        shown = dict(cell)
        if cell["cell_type"] == "code":
            number += 1
            shown |= {"execution_count": number, "outputs": _outputs(cell, names, number)}
        done.append(shown)
    return done


def _outputs(cell: Cell, names: dict[str, Any], number: int) -> list[dict[str, Any]]:
    """Run a cell and return what it prints, and the value of its last expression."""
    body = ast.parse("".join(cell["source"])).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    streams = {"stdout": io.StringIO(), "stderr": io.StringIO()}
    with redirect_stdout(streams["stdout"]), redirect_stderr(streams["stderr"]):
        exec(compile(ast.Module(body, []), f"cell {number}", "exec"), names)
        value = None
        if last is not None:
            value = eval(compile(ast.Expression(last.value), f"cell {number}", "eval"), names)
    outputs: list[dict[str, Any]] = [
        {"output_type": "stream", "name": name, "text": _lines(stream.getvalue())}
        for name, stream in streams.items()
        if stream.getvalue()
    ]
    if value is not None:
        data = {"text/plain": _lines(repr(value))}
        if hasattr(value, "_repr_html_"):
            data["text/html"] = _lines(value._repr_html_())
        outputs.append(
            {
                "output_type": "execute_result",
                "execution_count": number,
                "data": data,
                "metadata": {},
            }
        )
    return outputs


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def main() -> None:
    """Store what the cells show."""
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        notebook["cells"] = run(notebook["cells"])
    text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    NOTEBOOK.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    main()
