"""``ffzoo check``: the conformance kit in the terminal.

One name gets a line a check; several, or ``--all``, get a line an algorithm: what it declares of its isolation and
coupling, what was measured, and how many checks were run.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from ffzoo.cli.parser import Commands, add_command, add_common
from ffzoo.errors import OptionError
from ffzoo.registry.loader import ZOO


def add(commands: Commands) -> None:
    """Add the command."""
    p = add_command(commands, "check", run, "run the conformance kit on an algorithm or a part")
    p.add_argument("names", nargs="*", metavar="NAME", help="an algorithm, or KIND:NAME for a part")
    p.add_argument("--all", action="store_true", help="every registered algorithm, one line each")
    add_common(p)


def run(args: argparse.Namespace) -> int:
    """Run the checks; returns 1 when one failed.

    Raises:
        OptionError: an unknown name, or names and ``--all`` together.
    """
    if args.all == bool(args.names):
        given = "names and --all" if args.all else "neither names nor --all"
        raise OptionError(f"ffzoo check was given {given}; expected one of the two")
    return _check(ZOO["algorithms"].names() if args.all else args.names)


def _check(names: Sequence[str]) -> int:
    from ffzoo.run.terminal import console, show
    from ffzoo.testing.kit import check_algorithm

    results = {name: check_algorithm(name, on_fail="return") for name in names[:1]}
    if len(names) == 1:
        show(console(), _details(names[0], results[names[0]]))
    else:
        out, rows = console(), []
        for number, name in enumerate(names):
            out.print(f"[dim]{number + 1}/{len(names)}  {escape(name)}[/dim]")
            results.setdefault(name, check_algorithm(name, on_fail="return"))
            rows.append(_row(name, results[name]))
        show(out, _overview(rows))
        for name, checks in results.items():
            for r in checks:
                if r.status == "failed":
                    show(out, f"[bold]{escape(name)}[/bold] {r.check}: {escape(r.reason)}")
    return int(any(r.status == "failed" for checks in results.values() for r in checks))


def _details(name: str, results: Sequence[Any]) -> Table:
    table = Table(title=f"{name}: {len(results)} checks", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for column in ("check", "status", "seconds", "reason"):
        table.add_column(column)
    for r in results:
        table.add_row(r.check, r.status, f"{r.seconds:.1f}", escape(r.reason))
    return table


def _row(name: str, results: Sequence[Any]) -> tuple[str, ...]:
    """Return a row with what is declared, what was measured, and the counts of the checks."""
    counts = [sum(r.status == status for r in results) for status in ("passed", "failed", "skipped")]
    numbers = [str(count) if count else "-" for count in counts]
    if ":" in name:  # a part has no isolation of its own
        return (name, "-", "-", "-", "-", *numbers)
    from ffzoo.testing.measured import measured

    found = measured(name)
    return (name, found.isolation, found.reach, found.coupling, found.moves, *numbers)


def _overview(rows: Sequence[tuple[str, ...]]) -> Table:
    table = Table(title="Declared and measured", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("algorithm", no_wrap=True)
    for column in ("isolation", "measured", "coupling", "measured"):
        table.add_column(column)
    for column in ("passed", "failed", "skipped"):
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(*map(escape, row))
    return table
