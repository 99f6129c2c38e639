"""``ffzoo bench``: run an experiment, or go on with it.

Options are parsed and validated before torch is imported.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from ffzoo.cli.parser import Commands, add_command, add_common
from ffzoo.errors import FFZooError, OptionError, PluginError, nearest
from ffzoo.registry.entries import Entry
from ffzoo.registry.loader import ZOO

_EPILOG = """\
examples:
  ffzoo bench --list
  ffzoo bench NAME --out results/NAME
  ffzoo bench NAME --set rounds=5 --out results/quick
  ffzoo bench all --scale smoke --out results

--out gets NAME.json, NAME.md and the figures. The same command with the same
--out goes on after an interruption.
"""


_SHORTHANDS = {
    "scale": "smoke, cpu or full",
    "algos": "algorithms, with commas",
    "datasets": "data sets, with commas",
    "seeds": "whole numbers, with commas",
    "trials": "learning rates tried for each algorithm",
    "match": "epochs or flops",
}
INTERRUPTED = "interrupted; with --out, the same command goes on"
ALL = "all"
"""In place of a name: every experiment that has a scale and needs nothing else said, each in a folder of its own."""


def add(commands: Commands) -> None:
    """Add the command."""
    p = add_command(commands, "bench", run, "run an experiment: tables, figures and verdicts", epilog=_EPILOG)
    p.set_defaults(interrupted=INTERRUPTED)
    p.add_argument("name", nargs="?", metavar="NAME", help="the experiment; see --list; or all")
    p.add_argument("--out", metavar="DIR", help="folder of the cells and the report, new or of the same experiment")
    p.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", dest="settings", help="an option of the experiment"
    )
    for key, meaning in _SHORTHANDS.items():
        p.add_argument(f"--{key}", metavar="VALUE", help=f"the same as --set {key}=VALUE: {meaning}")
    p.add_argument("--list", action="store_true", help="list the experiments and their options")
    add_common(p, quiet=True)


def print_list() -> None:
    """Print every experiment with its options and their defaults."""
    from rich.markup import escape
    from rich.table import Table

    from ffzoo.registry import options
    from ffzoo.run.terminal import console

    table = Table.grid(padding=(0, 2))
    for entry in ZOO["experiments"]:
        table.add_row(f"[bold]{entry.name}[/bold]", escape(entry.summary))
        config_class = entry.load_config()
        values = options.to_json(config_class()) if config_class is not None else {}
        for key, value in values.items():
            table.add_row(f"  {key}", escape(_written(value)))
    console().print(table)


def _written(value: object) -> str:
    """Return a default as it would be written after ``--set``."""
    if isinstance(value, list):
        return ",".join(map(str, value)) or "none"
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


def run(args: argparse.Namespace) -> int:
    """Carry out a parsed command line.

    Raises:
        FFZooError: something the user can put right.
    """
    from ffzoo.run.spec import parse_set

    if args.list:
        print_list()
        return 0
    if args.name is None:
        raise OptionError(f"no experiment is named: {nearest('', ZOO['experiments'].names())}")
    short = [f"{key}={value}" for key in _SHORTHANDS if (value := getattr(args, key)) is not None]
    settings = parse_set([*args.settings, *short])
    out = Path(args.out) if args.out is not None else None
    if args.name != ALL:
        run_experiment(ZOO["experiments"].get(args.name), settings, out, args)
        return 0
    entries = _with_scale()
    for key in settings:
        if not any(hasattr(config, key) for _, config in entries):
            raise OptionError(f"unknown option {key!r}: none of {', '.join(e.name for e, _ in entries)} has it")
    failed = []
    for entry, config in entries:
        own = {key: value for key, value in settings.items() if hasattr(config, key)}
        try:
            run_experiment(entry, own, None if out is None else out / entry.name, args)
        except Exception as error:  # the others shall not wait for it
            if args.debug:
                raise
            said = str(error) if isinstance(error, FFZooError) else f"{type(error).__name__}: {error}"
            failed.append(f"{entry.name}: {said}")
            print(f"error: {failed[-1]}", file=sys.stderr)
    if failed:
        raise OptionError(f"{len(failed)} of the experiments could not be run: {'; '.join(failed)}")
    return 0


def _with_scale() -> list[tuple[Entry, Any]]:
    """Return what ``all`` runs, with its options: the experiments on claims, which take a scale and no algorithms."""
    found = []
    for entry in ZOO["experiments"]:
        config_class = entry.load_config()
        config = None if config_class is None else config_class()
        if hasattr(config, "scale") and not hasattr(config, "algos"):
            found.append((entry, config))
    return sorted(found, key=lambda pair: (len(pair[0].name), pair[0].name))  # e2 before e10


def run_experiment(entry: Entry, settings: dict[str, Any], out: Path | None, args: argparse.Namespace) -> None:
    """Run one experiment, write and show its report.

    Args:
        entry: the experiment.
        settings: its options, typed or as text.
        out: folder of the cells and the report; nothing is written when None.
        args: the command line, for ``--plugin`` and ``--quiet``.

    Raises:
        FFZooError: something the user can put right.
    """
    from ffzoo.bench.report import Report
    from ffzoo.bench.study import Study
    from ffzoo.registry import options
    from ffzoo.run.environment import keep_freed_memory

    keep_freed_memory()
    config_class = entry.load_config()
    if config_class is None and settings:
        raise OptionError(f"unknown option {next(iter(settings))!r}: {entry} has no options")
    config = None if config_class is None else options.replace(config_class(), settings, "")
    study = Study(entry.name, config, out, progress=not args.quiet, plugins=tuple(args.plugin))
    report = entry.load()(config, study)
    if not isinstance(report, Report):
        raise PluginError(f"{entry} returned {type(report).__name__}; expected a Report")
    files = report.write(out, entry.name) if out is not None else []
    if not args.quiet:
        report.show()
        for file in files:
            print(f"written to {file}")
