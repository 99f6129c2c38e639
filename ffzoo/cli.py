"""The ``ffzoo`` command: the same as ``python -m ffzoo.eval`` and its sisters."""

from __future__ import annotations

import sys
from collections.abc import Sequence

USAGE = """\
usage: ffzoo COMMAND ...

  eval      train an algorithm, measure it, test it once (python -m ffzoo.eval)
  list      algorithms, backbones and data sets
  plugins   plugins and what they registered (python -m ffzoo.plugins)
  check     run the conformance kit on an algorithm or a part
  bench     run an experiment (python -m ffzoo.bench)

ffzoo COMMAND --help says more.
"""


def check(argv: Sequence[str]) -> int:
    """``ffzoo check NAME``: run the conformance kit and print its results."""
    import argparse

    from ffzoo.eval import report
    from ffzoo.loader import ZOO

    parser = argparse.ArgumentParser(prog="ffzoo check", description="Run the conformance kit.")
    parser.add_argument("names", nargs="+", metavar="NAME", help="an algorithm, or KIND:NAME for a part")
    parser.add_argument("--plugin", action="append", default=[], metavar="FILE", help="load a plugin from a file")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    args = parser.parse_args(argv)
    try:
        for path in args.plugin:
            ZOO.load_file(path)
        from rich.table import Table

        from ffzoo.terminal import console
        from ffzoo.testing import check_algorithm

        out = console()
        failed = 0
        for name in args.names:
            results = check_algorithm(name, on_fail="return")
            table = Table(title=f"{name}: {len(results)} checks", title_justify="left", box=None, padding=(0, 2, 0, 0))
            for column in ("check", "status", "seconds", "reason"):
                table.add_column(column)
            for r in results:
                table.add_row(r.check, r.status, f"{r.seconds:.1f}", r.reason)
            out.print(table)
            failed += sum(r.status == "failed" for r in results)
    except (Exception, KeyboardInterrupt) as error:
        return report(error, args.debug)
    return 1 if failed else 0


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of the console script; returns the exit status."""
    args = list(sys.argv[1:] if argv is None else argv)
    command, rest = (args[0], args[1:]) if args else ("", [])
    if command == "eval":
        from ffzoo.eval import main as run

        return run(rest)
    if command == "list":
        from ffzoo.eval import main as run

        return run(["--list", *rest])
    if command == "plugins":
        from ffzoo.plugins import main as run

        return run(rest)
    if command == "check":
        return check(rest)
    if command == "bench":
        from ffzoo.bench.__main__ import main as run

        return run(rest)
    print(USAGE, end="", file=sys.stdout if command in ("", "-h", "--help") else sys.stderr)
    if command in ("", "-h", "--help"):
        return 0
    from ffzoo.errors import nearest

    known = ["eval", "list", "plugins", "check", "bench"]
    print(f"error: unknown command {command!r}: {nearest(command, known)}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
