# SPDX-License-Identifier: Apache-2.0
"""The command group: commands in sections, a hint at what was meant, and ``--json`` for every command."""

from collections.abc import Mapping
from typing import Any

import click

from hysteron_base.extras import EXTRAS, MissingPackageError
from hysteron_base.settings import meant

from .output import console


def _json(_ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    console.as_json = value


class Sections(click.Group):
    """A group whose help lists its commands in sections."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sections: dict[str, list[str]] = {}
        self.extras: dict[str, str] = {}

    def add_sections(self, sections: Mapping[str, Mapping[click.Command, str]]) -> None:
        """Add commands by the title of their section, each with the extra that brings what it needs.

        Every command gets an option ``--json``.
        """
        for title, commands in sections.items():
            for command, extra in commands.items():
                self.add_command(command)
                self.extras[command.name or ""] = extra
                self.sections.setdefault(title, []).append(command.name or "")
                leaves = command.commands.values() if isinstance(command, click.Group) else (command,)
                for leaf in leaves:
                    leaf.params.append(
                        click.Option(
                            ["--json"],
                            is_flag=True,
                            expose_value=False,
                            is_eager=True,
                            callback=_json,
                            help="Print the result as JSON, and nothing else, to standard output.",
                        )
                    )

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; of a package that is missing tell the extra that brings all that the command needs."""
        try:
            return super().invoke(ctx)
        except (MissingPackageError, ModuleNotFoundError) as error:
            module = error.module if isinstance(error, MissingPackageError) else error.name or ""
            if module.partition(".")[0] not in EXTRAS:
                raise
            raise MissingPackageError(module, self.extras.get(ctx.invoked_subcommand or "", "")) from None
        except KeyboardInterrupt:
            # Click would print an empty line.
            raise click.Abort from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section for each title."""
        for title, names in self.sections.items():
            rows = [(name, self.commands[name].get_short_help_str(limit=60)) for name in names]
            with formatter.section(title):
                formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; of an unknown one say which may have been meant."""
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            hint = meant(args[0], self.commands) or "; 'hysteron --help' lists them"
            raise click.UsageError(f"there is no command {args[0]!r}{hint}", ctx)
        return super().resolve_command(ctx, args)
