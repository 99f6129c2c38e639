"""``ffzoo compare``: the experiment of that name, a comparison of one's own, as a command."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ffzoo.cli.bench import INTERRUPTED, run_experiment
from ffzoo.cli.parser import Commands, add_command, add_common
from ffzoo.registry.loader import ZOO
from ffzoo.run.spec import parse_set

_EPILOG = """\
examples:
  ffzoo compare dtg_ff bp_deepsup bp --out results/first
  ffzoo compare mine bp --plugin mine.py --datasets mnist,cifar10 --trials 8
  ffzoo compare dtg_ff bp --match flops --epochs 10 --set fit.augment=crop,flip

--out gets tables, figures, a paragraph of methods, a LaTeX table and the
references. The same command with the same --out goes on after an interruption.
"""

_OPTIONS = {
    "datasets": ("NAME,...", "data sets (default: digits)"),
    "seeds": ("N,...", "one run of every algorithm for each (default: 0,1,2)"),
    "trials": ("N", "learning rates tried for each algorithm (default: 3)"),
    "match": ("epochs|flops", "what is equal for all (default: epochs)"),
    "epochs": ("N", "of the cheapest algorithm (default: the data set's)"),
    "backbone": ("NAME", "for all data sets (default: each data set's)"),
    "workers": ("N", "processes that train side by side (default: one per core)"),
    "device": ("NAME", "auto, cpu, cuda or mps (default: auto)"),
}


def add(commands: Commands) -> None:
    """Add the command."""
    p = add_command(
        commands, "compare", run, "compare an algorithm with others, each at its best learning rate", epilog=_EPILOG
    )
    p.set_defaults(interrupted=INTERRUPTED)
    p.add_argument("algos", nargs="+", metavar="ALGO", help="the first is compared with each of the others")
    for name, (metavar, text) in _OPTIONS.items():
        p.add_argument(f"--{name}", metavar=metavar, help=text)
    p.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", dest="settings", help="fit.*, backbone.*, data.*"
    )
    p.add_argument("--out", metavar="DIR", help="folder of the cells and the report, new or of the same comparison")
    add_common(p, quiet=True)


def run(args: argparse.Namespace) -> int:
    """Compare.

    Raises:
        FFZooError: something the user can put right.
    """
    settings: dict[str, Any] = {name: value for name in _OPTIONS if (value := getattr(args, name)) is not None}
    settings |= {"algos": args.algos, "settings": [f"{key}={value}" for key, value in parse_set(args.settings).items()]}
    out = None if args.out is None else Path(args.out)
    run_experiment(ZOO["experiments"].get("compare"), settings, out, args)
    return 0
