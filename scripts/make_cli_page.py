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
HEAD = "| option | default | |\n|---|---|---|"
DEFAULT = re.compile(r"\s*\[default: (?P<default>.*?)(?:; [^\];]*[<>=][^\]]*)?\]$")


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
    return "\n".join([f"## {name}", "", f"    {usage}", "", _text(command), HEAD, *rows, ""])


def _text(command: click.Command) -> str:
    """Return a help text as Markdown: what click keeps as it is becomes code."""
    blocks = re.split(r"\n\s*\n", inspect.cleandoc(command.help or ""))
    return "".join(f"{_block(block)}\n\n" for block in blocks)[:-1]


def _block(block: str) -> str:
    first, _, rest = block.partition("\n")
    if first.strip() != "\b":
        return _linked(_marked(" ".join(block.split())))
    return "\n".join(f"    {line}" for line in inspect.cleandoc("\n" + rest).splitlines())


def _row(option: click.Option, context: click.Context) -> str:
    record = option.get_help_record(context)
    if record is None:
        raise LookupError(f"{option.name} has no help")
    names, meaning = record
    found = DEFAULT.search(meaning)
    default = found["default"] if found else ""
    meaning = DEFAULT.sub("", meaning)
    return f"| `{_escaped(names)}` | {_marked(default)} | {_marked(meaning)} |"


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
