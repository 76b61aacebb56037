"""Options made from the table of settings, grouped under headings in ``--help``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import click

from seqarith.schema import Flag, Integer, Maybe, Number
from seqarith.setting import Setting

OTHER = "Other"
"""Heading of options without a group."""


class GroupedOption(click.Option):
    """An option with the heading that ``--help`` lists it under."""

    def __init__(self, *names: Any, group: str = "", **attributes: Any) -> None:
        super().__init__(*names, **attributes)
        self.group = group


class GroupedCommand(click.Command):
    """A command whose ``--help`` lists its options in groups."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        groups: dict[str, list[tuple[str, str]]] = {}
        for each in self.get_params(ctx):
            record = each.get_help_record(ctx) if isinstance(each, click.Option) else None
            if record is not None:
                groups.setdefault(getattr(each, "group", OTHER), []).append(record)
        for title in sorted(groups, key=OTHER.__eq__):  # other options last
            with formatter.section(title):
                formatter.write_dl(groups[title])


class DigitsType(click.types.IntParamType):
    """A number of digits; the message for others says how ``--digits`` changed in 0.6."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            return int(super().convert(value, param, ctx))
        except click.BadParameter:
            self.fail(
                f"{value!r} is not an integer; the encoding of digits is --input-encoding", param
            )


def setting_option(setting: Setting, group: str = "") -> GroupedOption:
    """Return the option of a setting."""
    schema = setting.schema.schema if isinstance(setting.schema, Maybe) else setting.schema
    kind: Any = int if isinstance(schema, Integer) else float if isinstance(schema, Number) else str
    if "--digits" in setting.flags:
        kind = DigitsType()
    notes = f"  [{setting.notes}]" if setting.notes else ""
    return GroupedOption(
        [*setting.flags, setting.name],
        group=group or setting.group,
        help=f"{setting.help}{notes}",
        default=None,
        type=bool if isinstance(schema, Flag) else kind,
        is_flag=isinstance(schema, Flag),
    )


def setting_options(settings: Iterable[Setting]) -> Callable[[click.Command], click.Command]:
    """Return a decorator that adds options for settings before a command's other options."""

    def decorate(command: click.Command) -> click.Command:
        command.params[1:1] = map(setting_option, settings)
        return command

    return decorate
