"""The code on the page about PyTorch runs there, and computes what the network computes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import seqarith as sa

torch = pytest.importorskip("torch")

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "pytorch.md"
SUMS = ((0, 0), (37, 58), (255, 1), (2**64 - 1, 1), (3**80, 5**50))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_page_reads_a_model_and_gives_it_back(
    dtype: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    there, back = re.findall(
        r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S
    )
    monkeypatch.chdir(tmp_path)
    sa.train("add", bits=8, seed=0, dtype=dtype).model.save("model.npz")
    names: dict[str, object] = {}
    exec(there, names)
    assert capsys.readouterr().out == "95\n"
    add = names["add"]
    assert callable(add)
    for a, b in SUMS:
        assert add(a, b) == a + b
    exec(back, names)
    shown, verdict = capsys.readouterr().out.splitlines()[:2]
    assert shown == "37 + 58 = 95"
    assert verdict.startswith("Proved(")
