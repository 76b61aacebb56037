"""The check of the built site finds what is loaded from elsewhere, and lets links be."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "check_site.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_site", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "page",
    [
        '<script src="https://example.org/a.js"></script>',
        '<img src="//example.org/a.png">',
        '<link rel="stylesheet" href="http://example.org/a.css">',
        '<link rel="preconnect" href="https://example.org">',
        '<p style="background: url(https://example.org/a.png)">',
        "<style>@import 'https://example.org/a.css';</style>",
        "<svg><use href='https://example.org/a.svg#b'/></svg>",
    ],
)
def test_loads_are_found(script: ModuleType, page: str, tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(page)
    assert len(list(script.wrong(tmp_path))) >= 1


@pytest.mark.parametrize(
    "page",
    [
        '<a href="https://example.org">elsewhere</a>',
        '<img src="images/a.png"><script src="_static/a.js?v=1"></script>',
        '<link rel="next" href="b.html"><img src="data:image/png;base64,AA==">',
        "<style>a { background: url(a.png) }</style>",
        '<link rel="canonical" href="https://example.org/a.html">',
    ],
)
def test_links_are_none(script: ModuleType, page: str, tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(page)
    (tmp_path / "a.css").write_text("@font-face { src: url(fonts/a.woff2) }")
    assert list(script.wrong(tmp_path)) == []


def test_styles_are_looked_at(script: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("@font-face { src: url('https://example.org/a.woff2') }")
    assert len(list(script.wrong(tmp_path))) == 1
