"""Every command line that the documentation shows is one that the commands understand."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from seqarith.cli import cli

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINE = re.compile(r"^(?:    )?(?:\$ )?(?:.* && )?(?:timeout .*? )?(seqarith .+)$", re.M)
INLINE = re.compile(r"`(seqarith [a-z]+ [^`]*)`")
END = re.compile(r"\s+#|[|>;]|&&|\s{3,}")


def shown(page: Path) -> list[str]:
    text = page.read_text(encoding="utf-8")
    code = "\n".join(
        [
            *re.findall(r"^```(?:console|bash|sh|text)?\n(.*?)^```$", text, re.M | re.S),
            *re.findall(r"^    .*$", text, re.M),
        ]
    )
    return [END.split(line)[0] for line in LINE.findall(code) + INLINE.findall(text)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_understand_what_is_shown(page: Path) -> None:
    for line in shown(page):
        name, *arguments = shlex.split(line)[1:]
        if name.startswith("-") or name.isupper() or any(each.isupper() for each in arguments[:1]):
            continue  # a form, not a command: seqarith COMMAND --help
        command = cli.get_command(click.Context(cli), name)
        assert command is not None, line
        if {"-h", "--help"} & set(arguments):
            continue
        command.make_context(name, list(arguments))


def test_commands_are_found_on_the_pages() -> None:
    found = [line for page in PAGES for line in shown(page)]
    assert len(found) > 50
    assert "seqarith train add --bits 8" in found
