"""Record a terminal: run commands, and draw what they print as an SVG.

    python scripts/make_terminal.py

Everything shown is real output; but for seconds it is the same whenever it is made on one machine.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import tempfile
from html import escape
from pathlib import Path

PLACE = Path(__file__).parent.parent / "docs" / "images" / "terminal.svg"
SESSION = (
    "seqarith train add --bits 8",
    "seqarith eval model.npz",
    "seqarith predict 37 58",
    "seqarith train add --preset tutorial --seed 4 -o tutorial.npz",
    "seqarith certify tutorial.npz",
)
PROMPT = "$ "
ADVANCE, LINE, EDGE = 8.43, 20, 16
"""Width of a character, height of a line and the margin, in pixels, for letters of 14 pixels."""
STYLE = """
    text { font: 14px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
    .paper { fill: #fbfbf9; stroke: #d5d7dc; } .out { fill: #3b3f46; }
    .said { fill: #0b5fa5; font-weight: bold; } .prompt { fill: #14692f; }
    @media (prefers-color-scheme: dark) {
      .paper { fill: #16181d; stroke: #3a3f4a; } .out { fill: #d0d3da; }
      .said { fill: #8cc4f8; } .prompt { fill: #74cf93; }
    }
"""


def record(session: tuple[str, ...]) -> list[str]:
    """Run commands in an empty folder; return their lines and what they print to stdout."""
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for command in session:
            arguments = [sys.executable, "-m", "seqarith", *shlex.split(command)[1:]]
            found = subprocess.run(
                arguments, cwd=folder, capture_output=True, text=True, check=False
            )
            lines += [PROMPT + command, *found.stdout.rstrip("\n").split("\n"), ""]
    return lines[:-1]


def drawn(lines: list[str]) -> str:
    """Return lines of a terminal as an SVG that can be read in light and dark."""
    width = round(2 * EDGE + ADVANCE * max(map(len, lines)))
    height = 2 * EDGE + LINE * len(lines)
    rows = "\n".join(_row(line, EDGE + LINE * (i + 1) - 5) for i, line in enumerate(lines))
    title = "A terminal: " + "; ".join(line[2:] for line in lines if line.startswith(PROMPT))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img">\n'
        f"  <title>{escape(title)}</title>\n  <style>{STYLE}  </style>\n"
        f'  <rect class="paper" x="1" y="1" width="{width - 2}" height="{height - 2}" rx="8"/>\n'
        f"{rows}\n</svg>\n"
    )


def _row(line: str, y: int) -> str:
    if line.startswith(PROMPT):
        text = f'<tspan class="prompt">$</tspan><tspan class="said"> {escape(line[2:])}</tspan>'
    else:
        text = f'<tspan class="out">{escape(line)}</tspan>'
    return f'  <text x="{EDGE}" y="{y}" xml:space="preserve">{text}</text>'


if __name__ == "__main__":
    PLACE.parent.mkdir(exist_ok=True)
    PLACE.write_text(drawn(record(SESSION)), encoding="utf-8")
    print(PLACE)
