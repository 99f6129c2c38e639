"""The ``ffzoo`` command: the same as ``python -m ffzoo.eval`` and its sisters."""

from __future__ import annotations

import sys
from collections.abc import Sequence

USAGE = """\
usage: ffzoo COMMAND ...

  eval      train an algorithm, measure it, test it once (python -m ffzoo.eval)
  list      algorithms, backbones and data sets
  card      all that is known of an algorithm: paper, formula, parts, figures
  plugins   plugins and what they registered (python -m ffzoo.plugins)
  check     run the conformance kit on an algorithm or a part
  bench     run an experiment (python -m ffzoo.bench)

ffzoo COMMAND --help says more.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of the console script; returns the exit status."""
    args = list(sys.argv[1:] if argv is None else argv)
    command, rest = (args[0], args[1:]) if args else ("", [])
    if command == "eval":
        from ffzoo.cli.train import main as run

        return run(rest)
    if command == "list":
        from ffzoo.cli.train import main as run

        return run(["--list", *rest])
    if command == "card":
        from ffzoo.cli.card import main as run

        return run(rest)
    if command == "plugins":
        from ffzoo.cli.plugins import main as run

        return run(rest)
    if command == "check":
        from ffzoo.cli.check import main as run

        return run(rest)
    if command == "bench":
        from ffzoo.cli.bench import main as run

        return run(rest)
    print(USAGE, end="", file=sys.stdout if command in ("", "-h", "--help") else sys.stderr)
    if command in ("", "-h", "--help"):
        return 0
    from ffzoo.errors import nearest

    known = ["eval", "list", "card", "plugins", "check", "bench"]
    print(f"error: unknown command {command!r}: {nearest(command, known)}", file=sys.stderr)
    return 2
