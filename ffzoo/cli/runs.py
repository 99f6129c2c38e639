"""``ffzoo runs DIR``: a table of the runs in a folder. No torch in here."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ffzoo.cli.parser import Commands, add_command, add_common


def add(commands: Commands) -> None:
    """Add the command."""
    p = add_command(commands, "runs", run, "list the runs in a folder: what each is of, and what came out")
    p.add_argument("folder", metavar="DIR", help="a folder of run folders, at any depth")
    add_common(p)


def run(args: argparse.Namespace) -> int:
    """Print the table.

    Raises:
        OptionError: the folder is not there, or holds no run.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    from ffzoo.run.listed import list_runs
    from ffzoo.run.terminal import console, percent, show

    runs = list_runs(args.folder)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    for name in ("run", "algorithm", "data", "backbone", "epochs", "seed", "test %", "state", "when"):
        right = name in ("epochs", "seed", "test %")
        wraps = name in ("run", "data", "backbone")
        table.add_column(name, justify="right" if right else "left", no_wrap=not wraps, overflow="fold")
    for r in runs:
        name = str(r.folder.relative_to(args.folder))
        name = r.folder.resolve().name if name == "." else name
        when = f"{r.when:%Y-%m-%d %H:%M}"
        if r.state == "unreadable":
            table.add_row(Text(name), *[""] * 6, r.state, when)
            continue
        epochs = str(r.epochs) if r.state == "finished" else f"{r.epochs_done}/{r.epochs}"
        cells = (name, r.algo, _short(r.dataset), r.backbone, epochs, str(r.seed), percent(r.test_accuracy))
        table.add_row(*map(Text, cells), r.state, when)
    show(console(), table)
    for r in runs:
        if r.problem:
            print(f"unreadable: {r.problem}", file=sys.stderr)
    return 0


def _short(dataset: str) -> str:
    """Return a data set's name; of a path its last part alone."""
    prefix, colon, rest = dataset.partition(":")
    return f"{prefix}:{Path(rest).name}" if colon else dataset
