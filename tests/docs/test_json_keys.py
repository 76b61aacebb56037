"""The keys of every command's JSON stand on the page, in the part about that command."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import seqarith as sa
from seqarith.cli import cli

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"
INSIDE = {"by_chain", "parameters", "options", "counterexamples"}
"""Keys whose own keys are data, or told elsewhere."""
PART = {"refuted": "certify"} | dict.fromkeys(
    ("cells", "optimizers"), "show, and what is registered"
)
COMMANDS = {
    "train": ("train", "add", "--bits", "4", "--json"),
    "eval": ("eval", "model.npz", "--bits", "4", "--json"),
    "predict": ("predict", "37", "58", "--json"),
    "trace": ("trace", "37", "58", "--json"),
    "certify": ("certify", "model.npz", "--json"),
    "refuted": ("certify", "wrong.npz", "--json"),
    "verify": ("verify", "model.npz", "--json"),
    "extract": ("extract", "model.npz", "--format", "json"),
    "show, and what is registered": ("tasks", "mod", "--json"),
    "cells": ("cells", "--json"),
    "optimizers": ("optimizers", "--json"),
}


def keys(value: Any) -> Iterator[str]:
    """Yield the keys of an object and of the objects in it."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            for key, inner in item.items():
                yield key
                if key not in INSIDE:
                    yield from keys(inner)


@pytest.fixture
def folder(
    adder: sa.Model, wrong_adder: sa.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    monkeypatch.chdir(tmp_path)
    adder.save("model.npz")
    wrong_adder.save("wrong.npz")
    verdict = sa.certify(adder, 10)
    assert isinstance(verdict, sa.Proved)
    sa.attach(adder, verdict.certificate).save("model.npz")
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
def test_every_key_is_told(command: str, folder: Path) -> None:
    sections = dict(
        part.split("\n", 1) for part in PAGE.read_text(encoding="utf-8").split("\n## ")[1:]
    )
    told = sections[PART.get(command, command)]
    words = {word for code in re.findall(r"`([^`]+)`", told) for word in re.findall(r"\w+", code)}
    found = CliRunner().invoke(cli, list(COMMANDS[command]))
    assert found.exit_code in (0, 3), found.output
    missing = set(keys(json.loads(found.stdout))) - words
    assert not missing
