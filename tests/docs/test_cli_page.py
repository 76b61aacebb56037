"""The page of the commands in the documentation is what the commands say."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import click
import pytest

from seqarith.cli import COMMANDS, cli

DOCS = Path(__file__).parents[2] / "docs"
SCRIPT = DOCS.parent / "scripts" / "make_cli_page.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_cli_page", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(script: ModuleType) -> None:
    assert script.PAGE.read_text(encoding="utf-8") == script.page(), "run scripts/make_cli_page.py"


def test_every_command_and_every_option_is_on_it(script: ModuleType) -> None:
    sections = dict(part.split("\n", 1) for part in script.page().split("\n## ")[1:])
    assert list(sections) == list(COMMANDS)
    for name, text in sections.items():
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        for option in (each for each in command.params if isinstance(each, click.Option)):
            assert any(f"{each}`" in text or f"{each} " in text for each in option.opts)


def test_every_command_is_told_of_on_the_written_page() -> None:
    told = (DOCS / "cli.md").read_text(encoding="utf-8")
    for name in COMMANDS:
        assert f"`{name}`" in told or f"## {name}" in told


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_has_the_summary_of_each(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.get_short_help_str(limit=1000) == COMMANDS[name][1]
