"""``python -m ffzoo.report RESULTS --out DIR``: what finished studies found, as one page. No torch in here."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ffzoo.bench.page import collect, write
from ffzoo.registry.loader import ZOO


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    p = argparse.ArgumentParser(prog="python -m ffzoo.report", description="What finished studies found, as one page.")
    p.add_argument("results", metavar="RESULTS", type=Path, help="a study's folder, or a folder of them")
    p.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder of the pages, tables and figures")
    p.add_argument("--plugin", action="append", default=[], metavar="FILE", help="load a plugin from a Python file")
    p.add_argument("--quiet", action="store_true", help="print nothing but errors")
    p.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status: 1 when a study could not be read."""
    from ffzoo.cli.train import report

    args = parser().parse_args(argv)
    try:
        for path in args.plugin:
            ZOO.load_file(path)
        sections, failures = collect(args.results)
        files = write(sections, failures, args.out)
    except Exception as error:
        return report(error, args.debug)
    for line in failures:
        print(f"left out: {line}", file=sys.stderr)
    if not args.quiet:
        for section in sections:
            for verdict in section.report.verdicts:
                print(f"{section.name}: Verdict: {verdict}")
        for file in files[:2]:
            print(f"written to {file}")
    return int(bool(failures))
