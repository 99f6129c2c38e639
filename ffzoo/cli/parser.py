"""What the parsers of all commands share."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from typing import Any, NoReturn

from ffzoo.errors import OptionError

Commands = Any
"""What ``add_subparsers`` returns; argparse gives its class no public name."""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one sentence, as all of the library's are."""

    def __init__(self, **options: Any) -> None:
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **options)

    def error(self, message: str) -> NoReturn:
        """Raise what argparse found.

        Raises:
            OptionError: always.
        """
        raise OptionError(message.removeprefix("argument "))

    def option_names(self) -> list[str]:
        """Return the long options, as they are written."""
        return re.findall(r"--[a-z][a-z-]*", self.format_usage())


def add_command(
    commands: Commands, name: str, run: Callable[[argparse.Namespace], int], summary: str, **options: Any
) -> Parser:
    """Add a sub-command.

    Args:
        commands: of the parser.
        name: what it is called by.
        run: carries out a parsed command line and returns the exit status.
        summary: a line for the list of commands; its own help begins with it.
        options: of the parser.
    """
    described = summary[0].upper() + summary[1:] + "."
    parser: Parser = commands.add_parser(name, help=summary, description=described, **options)
    parser.set_defaults(run=run, parser=parser, interrupted="interrupted")
    return parser


def add_common(parser: Parser, quiet: bool = False) -> None:
    """Add what every command has, and ``--quiet`` where there is something to silence."""
    group = parser.add_argument_group("other")
    group.add_argument("--plugin", action="append", default=[], metavar="FILE", help="load a plugin from a Python file")
    if quiet:
        group.add_argument("--quiet", action="store_true", help="print nothing but errors")
    group.add_argument("--debug", action="store_true", help="show the traceback of an error")
