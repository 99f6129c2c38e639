"""``ffzoo test RUN``: a finished run on its own test set, or on another data set."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ffzoo.cli.parser import Commands, add_command, add_common

if TYPE_CHECKING:
    from ffzoo.run.tested import Tested

_WIDEST = 12  # classes of a confusion matrix that a terminal has room for
_EPILOG = """\
examples:
  ffzoo test runs/x
  ffzoo test runs/x --csv predictions.csv
  ffzoo test runs/x --dataset folder:PATH
"""


def add(commands: Commands) -> None:
    """Add the command."""
    p = add_command(commands, "test", run, "test a finished run, on its own or other data", epilog=_EPILOG)
    p.add_argument("folder", metavar="RUN", help="the folder of one finished run")
    p.add_argument("--dataset", metavar="NAME", help="data set, or folder:PATH, npz:PATH (default: the run's own)")
    p.add_argument("--csv", metavar="FILE", help="write the prediction for each sample")
    p.add_argument("--data-dir", metavar="DIR", help="data sets (default: FFZOO_DATA, else the cache folder)")
    p.add_argument("--device", metavar="NAME", default="auto", help="auto, cpu, cuda or mps (default: auto)")
    add_common(p, quiet=True)


def run(args: argparse.Namespace) -> int:
    """Test, and print what came out.

    Raises:
        FFZooError: something the user can put right.
        OSError: the CSV file cannot be written.
    """
    from ffzoo.run.tested import test

    tested = test(args.folder, args.dataset, data_dir=args.data_dir, device=args.device)
    if args.csv is not None:
        tested.write_csv(args.csv)
    if not args.quiet:
        _show(tested)
        if args.csv is not None:
            print(f"predictions written to {args.csv}")
    return 0


def _show(tested: Tested) -> None:
    from rich.markup import escape
    from rich.text import Text

    from ffzoo.run.terminal import console, made_table, percent, show

    out = console()
    show(out, f"[bold]{tested.algo}[/bold] on {tested.samples:,} test samples of {escape(tested.dataset)}")
    for note in tested.notes:
        show(out, Text(f"  {note}"))
    rows = [("accuracy", percent(tested.accuracy))]
    blocks = tested.per_block_accuracy or []
    rows += [(f"  block {number}", percent(value)) for number, value in enumerate(blocks, 1) if value is not None]
    rows += [("among the five highest", percent(tested.top5))] if tested.top5 is not None else []
    rows += [("calibration error (ECE)", percent(tested.calibration_error))]
    show(out, made_table(("", "%"), rows, 2))
    names, matrix = [escape(name) for name in tested.class_names], tested.confusion_matrix
    if len(names) <= _WIDEST:
        show(out, made_table(("true \\ predicted", *names), [*map(_row, names, matrix)], 1))
    else:
        mistakes = [(escape(y), escape(p), str(count)) for y, p, count in tested.confusions()]
        show(out, made_table(("most frequent mistakes: true", "predicted", "samples"), mistakes, 2))


def _row(name: str, counts: Sequence[int]) -> list[str]:
    return [name, *(str(count) if count else "." for count in counts)]
