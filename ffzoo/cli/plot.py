"""``ffzoo plot RUN...``: what there is to see of runs, on one page."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ffzoo.cli.parser import Commands, add_command, add_common
from ffzoo.errors import OptionError

_KINDS = (".png", ".svg", ".pdf")
_EPILOG = """\
One run: accuracy of its blocks and temperatures over epochs, goodness of
positive and negative samples, gradients between blocks, first filters and
confusion matrix. Several runs: what can be compared over epochs.
ffzoo.plots has each of them as a Python call.

examples:
  ffzoo plot runs/x
  ffzoo plot runs/x runs/y --out both.svg
"""


def add(commands: Commands) -> None:
    """Add the command."""
    p = add_command(commands, "plot", run, "draw what there is to see of runs, on one page", epilog=_EPILOG)
    p.add_argument("folders", metavar="RUN", nargs="+", help="run folders, finished or not")
    p.add_argument("--out", metavar="FILE", default="plot.png", help="PNG, SVG or PDF (default: plot.png)")
    p.add_argument("--data-dir", metavar="DIR", help="data sets (default: FFZOO_DATA, else the cache folder)")
    add_common(p, quiet=True)


def run(args: argparse.Namespace) -> int:
    """Draw, and say what could not be drawn and why.

    Raises:
        FFZooError: something the user can put right.
        OSError: the file cannot be written.
    """
    out = Path(args.out)
    if out.suffix not in _KINDS:
        raise OptionError(f"--out is {args.out!r}; expected a name that ends in {', '.join(_KINDS)}")
    from ffzoo.files import replace_file
    from ffzoo.run.plots import overview

    figure, left_out = overview(*args.folders, data_dir=args.data_dir)
    replace_file(out, lambda file: figure.savefig(file, format=out.suffix[1:]))
    for line in left_out:
        print(f"left out: {line}", file=sys.stderr)
    if not args.quiet:
        print(f"written to {out}")
    return 0
