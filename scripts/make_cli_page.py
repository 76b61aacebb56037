"""Write docs/cli-reference.md from the commands: usage, what each does, its options.

Run it after a command was changed: python scripts/make_cli_page.py
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import click

from seqarith.cli import COMMANDS, cli

PAGE = Path(__file__).parent.parent / "docs" / "cli-reference.md"
INTRODUCTION = """# Commands and options

<!-- Written by scripts/make_cli_page.py from the commands; change their help texts instead. -->

What `seqarith COMMAND --help` says. [The command line](cli.md) says what holds for all commands,
what their defaults and their JSON mean, and has the exit codes. `seqarith --version` tells the
version.
"""
HEAD = ("option", "default", "range", "")
RANGE = HEAD.index("range")
NOTES = re.compile(r"\s*\[(default: (?P<default>[^;\]]*))?(; )?(?P<range>[^\]]*)\]$")
"""What ``--help`` has behind a meaning."""


def page() -> str:
    """Return the page."""
    parent = click.Context(cli, info_name="seqarith")
    return "\n".join([INTRODUCTION, *(_section(name, parent) for name in COMMANDS)])


def _section(name: str, parent: click.Context) -> str:
    command = cli.get_command(parent, name)
    if command is None:
        raise LookupError(f"there is no command {name!r}")
    context = click.Context(command, info_name=name, parent=parent)
    usage = " ".join(["seqarith", name, *command.collect_usage_pieces(context)])
    rows = [_row(option, context) for option in command.params if isinstance(option, click.Option)]
    shown = [i for i in range(len(HEAD)) if i != RANGE or any(row[i] for row in rows)]
    head, *lines = [f"| {' | '.join(row[i] for i in shown)} |" for row in (HEAD, *rows)]
    table = [head.replace("|  |", "| |"), "|---" * len(shown) + "|", *lines]
    return "\n".join([f"## {name}", "", f"    {usage}", "", _text(command), *table, ""])


def _text(command: click.Command) -> str:
    """Return a help text as Markdown: what click keeps as it is becomes code."""
    blocks = re.split(r"\n\s*\n", inspect.cleandoc(command.help or ""))
    return "".join(f"{_block(block)}\n\n" for block in blocks)[:-1]


def _block(block: str) -> str:
    first, _, rest = block.partition("\n")
    if first.strip() != "\b":
        return _linked(_marked(" ".join(block.split())))
    return "\n".join(f"    {line}" for line in inspect.cleandoc("\n" + rest).splitlines())


def _row(option: click.Option, context: click.Context) -> tuple[str, ...]:
    record = option.get_help_record(context)
    if record is None:
        raise LookupError(f"{option.name} has no help")
    names, meaning = record
    found = NOTES.search(meaning)
    default, limits = (found["default"] or "", found["range"]) if found else ("", "")
    return f"`{_escaped(names)}`", *map(_marked, (default, limits, NOTES.sub("", meaning)))


def _linked(text: str) -> str:
    return re.sub(r"docs/([\w-]+)\.md", r"[\1](\1.md)", text)


def _marked(text: str) -> str:
    """Escape what Markdown would read otherwise; mark options and quoted commands as code."""
    text = re.sub(r"(?<!\w)'([^' ][^']*)'(?!\w)", r"`\1`", text)
    text = re.sub(r"(?<![\w`-])(--[a-z][\w-]*)", r"`\1`", text)
    return _escaped(text).replace("**", "\\*\\*")


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
