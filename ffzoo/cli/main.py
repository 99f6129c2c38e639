"""The ``ffzoo`` command: one parser with sub-commands. Torch is imported only once the options are known to be good."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from ffzoo.cli import bench, card, check, compare, listing, new_plugin, plot, plugins, report, runs, test, train
from ffzoo.cli.parser import Parser
from ffzoo.errors import FFZooError, OptionError, nearest
from ffzoo.registry.loader import ZOO
from ffzoo.version import __version__

COMMANDS = (
    *("train", "eval", "test", "plot", "runs", "list", "card", "check", "bench", "compare", "report", "plugins"),
    "new-plugin",
)
"""Names of the sub-commands; ``eval`` is ``train``."""


def parser() -> Parser:
    """Return the parser of the whole command line."""
    p = Parser(
        prog="ffzoo",
        description="The zoo of Forward-Forward and layer-local learning.",
        epilog="ffzoo COMMAND --help says more.",
    )
    p.add_argument("--version", action="version", version=f"ffzoo {__version__}")
    commands = p.add_subparsers(title="commands", metavar="COMMAND", parser_class=Parser)
    for module in (train, test, plot, runs, listing, card, check, bench, compare, report, plugins, new_plugin):
        module.add(commands)
    return p


def main(argv: Sequence[str] | None = None, command: str | None = None) -> int:
    """Carry out a command line and return the exit status.

    Args:
        argv: its words; those of the process when None.
        command: the sub-command, where the words do not begin with it: ``python -m ffzoo.eval``.
    """
    words = [*([command] if command else []), *(sys.argv[1:] if argv is None else argv)]
    interrupted = "interrupted"
    try:
        if words and not words[0].startswith("-") and words[0] not in COMMANDS:
            raise OptionError(f"unknown command {words[0]!r}: {nearest(words[0], COMMANDS)}")
        whole = parser()
        try:
            args, rest = whole.parse_known_args(words)
        except SystemExit as done:  # --help and --version
            return int(done.code or 0)
        if "run" not in args:
            if rest:
                raise OptionError(f"unknown option {rest[0]!r}: {nearest(rest[0], whole.option_names())}")
            whole.print_help()
            return 0
        if rest:
            raise OptionError(_unknown(rest[0], args.parser))
        interrupted = args.interrupted
        for path in args.plugin:
            ZOO.load_file(path)
        return int(args.run(args))
    except (Exception, KeyboardInterrupt) as error:
        return _report(error, "--debug" in words, interrupted)


def _unknown(word: str, of: Parser) -> str:
    if not word.startswith("-"):
        return f"{of.prog} does not take {word!r}; {of.prog} --help lists what it takes"
    option = word.partition("=")[0]
    return f"unknown option {option!r}: {nearest(option, of.option_names())}"


def _report(error: BaseException, debug: bool, interrupted: str) -> int:
    """Print an error in one line; returns the exit status."""
    if debug:
        import traceback

        traceback.print_exception(error)
    if isinstance(error, BrokenPipeError):  # who reads, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    if isinstance(error, KeyboardInterrupt):
        print(interrupted, file=sys.stderr)
        return 130
    if isinstance(error, FFZooError):
        text, status = str(error), 2
    elif isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        text, status = f"{error.strerror or error}{where}", 3
    else:
        text, status = f"{type(error).__name__}: {error}".splitlines()[0] + " (--debug shows where)", 1
    print(f"error: {' '.join(text.split())}", file=sys.stderr)
    return status
