"""``ffzoo report RESULTS --out DIR``: what finished studies found, as one page. No torch in here."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ffzoo.cli.parser import Commands, add_command, add_common


def add(commands: Commands) -> None:
    """Add the command."""
    p = add_command(commands, "report", run, "write one page of all finished studies in a folder")
    p.add_argument("results", metavar="RESULTS", type=Path, help="a study's folder, or a folder of them")
    p.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder of the pages, tables and figures")
    add_common(p, quiet=True)


def run(args: argparse.Namespace) -> int:
    """Write the page; returns 1 when a study could not be read."""
    from ffzoo.bench.page import collect, write

    sections, failures = collect(args.results)
    files = write(sections, failures, args.out)
    for line in failures:
        print(f"left out: {line}", file=sys.stderr)
    if not args.quiet:
        for section in sections:
            for verdict in section.report.verdicts:
                print(f"{section.name}: Verdict: {verdict}")
        for file in files[:2]:
            print(f"written to {file}")
    return int(bool(failures))
