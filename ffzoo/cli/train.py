"""``python -m ffzoo.eval``: train an algorithm, measure it, test it once.

Everything is parsed and validated before torch is imported, and the plan is printed first.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ffzoo.errors import FFZooError, OptionError
from ffzoo.registry.loader import ZOO

if TYPE_CHECKING:
    from ffzoo.run.configuration import RunTable

_EPILOG = """\
examples:
  python -m ffzoo.eval --algo dtg_ff
  python -m ffzoo.eval --algo dtg_ff --against bp,bp_deepsup --seeds 0,1,2
  python -m ffzoo.eval --algo dtg_ff --dataset cifar10 --backbone cnn --epochs 30 --out runs/x
  python -m ffzoo.eval --algo dtg_ff --config fast_cifar --out runs/y
  python -m ffzoo.eval --resume runs/x
  python -m ffzoo.eval --algo dtg_ff --set fusion=last --set goodness.grid=2 --set fit.lr=0.001

keys of --set: fit.*, backbone.* and data.*; of a recipe: its parts (fusion, forward_norm, isolation,
fusion_grad, ...) and their options (goodness.grid, loss.threshold, fusion.first, ...).

a --config file has the same keys, and a table [run] with algo, against, dataset, backbone, epochs,
batch_size, precision, memory_format and convolution; the command line overrides it.
"""


_WIDE = 110  # columns from which a list has room for the papers

_FIXED = (
    *("against", "epochs", "minutes", "batch_size", "seed", "seeds", "config", "out"),
    *("device", "precision", "memory_format", "convolution", "micro_batch", "compile", "checkpoint_blocks"),
)  # what a run that has begun keeps


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    p = argparse.ArgumentParser(
        prog="python -m ffzoo.eval",
        description="Train a layer-local rule or backprop, measure its locality, speed and memory, test it once.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = p.add_argument_group("what to run")
    what.add_argument("--algo", metavar="NAME", help="algorithm (default: dtg_ff; see --list)")
    what.add_argument("--dataset", metavar="NAME", help="data set, folder:PATH, npz:PATH (default: digits)")
    what.add_argument("--backbone", metavar="NAME", help="backbone or timm:MODEL (default: the data set's)")
    what.add_argument("--against", metavar="NAME,...", help="also train these algorithms and print the paired gaps")
    what.add_argument("--epochs", type=_positive, metavar="N", help="passes over the training part")
    what.add_argument("--minutes", type=float, metavar="N", help="fit the epochs to about N minutes in all")
    what.add_argument("--batch-size", type=_positive, metavar="N", help="samples a step")
    what.add_argument("--seed", type=int, metavar="N", help="one seed (default: 0)")
    what.add_argument("--seeds", metavar="N,N,...", help="several seeds: mean and standard deviation")
    what.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", dest="settings", help="any option, see below"
    )
    what.add_argument("--config", metavar="FILE|NAME", help="a TOML file, or one that ships, see below and --list")
    how = p.add_argument_group("how to run it")
    how.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), help="default: auto")
    how.add_argument("--precision", choices=("fp32", "bf16"), help="default: fp32; bf16 is autocast of the blocks")
    how.add_argument("--convolution", choices=("direct", "winograd"), help="of 3x3 filters; default: direct")
    how.add_argument("--memory-format", choices=("channels_last", "contiguous"), help="of maps; default: channels_last")
    how.add_argument(
        "--micro-batch",
        type=lambda text: text if text == "auto" else _positive(text),
        metavar="N",
        help="samples forwarded at once; auto measures which size is fastest",
    )
    how.add_argument(
        "--compile", action="store_true", default=None, help="compile blocks with torch.compile (a minute at the start)"
    )
    how.add_argument(
        "--checkpoint-blocks", action="store_true", default=None, help="recompute a block's activations in its backward"
    )
    files = p.add_argument_group("files")
    files.add_argument("--data-dir", metavar="DIR", help="data sets (default: FFZOO_DATA, else the cache folder)")
    files.add_argument("--out", metavar="DIR", help="new run folder: config, metrics, checkpoint, result")
    files.add_argument("--resume", metavar="DIR", help="go on with an interrupted run folder")
    other = p.add_argument_group("other")
    other.add_argument("--plugin", action="append", default=[], metavar="FILE", help="load a plugin from a Python file")
    other.add_argument("--list", action="store_true", help="list what there is to choose from")
    other.add_argument("--quiet", action="store_true", help="print nothing but errors")
    other.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return p


def _positive(text: str) -> int:
    value = int(text) if text.lstrip("-").isdigit() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return value


def _seeds(args: argparse.Namespace) -> list[int]:
    if args.seeds is not None and args.seed is not None:
        raise OptionError("--seed and --seeds are both given; expected one of them")
    text = args.seeds if args.seeds is not None else str(args.seed or 0)
    try:
        return [int(item) for item in text.split(",")]
    except ValueError:
        raise OptionError(f"--seeds is {text!r}; expected whole numbers such as 0,1,2") from None


def choices(args: argparse.Namespace) -> tuple[RunTable, dict[str, Any]]:
    """What to run, and the settings: ``--config``, overridden by the options and by ``--set``.

    Raises:
        OptionError: a configuration or a key that cannot be used.
    """
    from ffzoo.registry import options
    from ffzoo.run.configuration import RunTable, read
    from ffzoo.run.spec import parse_set

    table, settings = (RunTable(), {}) if args.config is None else read(args.config)
    chosen = parse_set(args.settings)
    given = {name: getattr(args, name) for name in options.field_types(RunTable)}
    # A length that is set in another way overrides the file's.
    given |= {name: "none" for name in ("epochs", "batch_size") if f"fit.{name}" in chosen and given[name] is None}
    if args.minutes is not None and args.epochs is None:
        given["epochs"] = "none"
    table = options.replace(table, {name: value for name, value in given.items() if value is not None}, "run.")
    return table, settings | chosen


def run(args: argparse.Namespace) -> None:
    """Carry out a parsed command line.

    Raises:
        FFZooError: something the user can put right.
    """
    for path in args.plugin:
        ZOO.load_file(path)
    if args.list:
        print_list()
        return
    table, settings = choices(args)
    seeds = _seeds(args)
    if args.resume is not None:
        fixed = [name for name in _FIXED if getattr(args, name) is not None]
        if fixed or settings:
            name = f"--{fixed[0].replace('_', '-')}" if fixed else "--set"
            raise OptionError(f"{name} cannot change a run that has begun; expected --resume with the run as it was")
        from ffzoo.run.environment import keep_freed_memory
        from ffzoo.run.runner import resume

        keep_freed_memory()
        names = {"algo": args.algo, "dataset": args.dataset, "backbone": args.backbone}
        resume(args.resume, data_dir=args.data_dir, progress=not args.quiet, expect=names)
        return
    options: dict[str, Any] = {
        "backbone": table.backbone,
        "epochs": table.epochs,
        "batch_size": table.batch_size,
        "settings": settings,
        "device": args.device or "auto",
        "minutes": args.minutes or 0.0,
    }
    algo, dataset = table.algo or "dtg_ff", table.dataset or "digits"
    from ffzoo.run.spec import make_run

    # Refuse what is wrong now: importing torch takes seconds.
    for name in (algo, *table.against):
        make_run(name, dataset, seed=seeds[0], shared_only=name != algo, **options)
    from ffzoo.run.environment import keep_freed_memory
    from ffzoo.run.runner import evaluate

    keep_freed_memory()
    evaluate(
        algo,
        dataset,
        **options,
        seeds=seeds,
        against=table.against,
        precision=table.precision or "fp32",
        memory_format=table.memory_format or "channels_last",
        convolution=table.convolution or "direct",
        micro_batch=args.micro_batch or 0,
        compile=bool(args.compile),
        checkpoint_blocks=bool(args.checkpoint_blocks),
        data_dir=args.data_dir,
        out=args.out,
        progress=not args.quiet,
    )


def print_list() -> None:
    """Algorithms, backbones, data sets and configurations, one line each."""
    from rich.table import Table
    from rich.text import Text

    from ffzoo.run.configuration import shipped
    from ffzoo.run.terminal import console, show

    out = console()
    sections: dict[str, list[tuple[str, str, str]]] = {}
    titles = {"backbone_sources": "backbones", "datasets": "data sets", "dataset_sources": "data sets"}
    for kind in ("algorithms", "backbones", *titles):
        rows = sections.setdefault(titles.get(kind, kind), [])
        for entry in ZOO[kind]:
            # Whose paper it is would wrap every summary where there is little room.
            whose = authors_and_year(entry.paper) if out.width >= _WIDE else ""
            rows.append((entry.name + (":" if kind.endswith("sources") else ""), entry.summary, whose))
    sections["configurations"] = [(name, summary, "") for name, summary in shipped().items()]
    longest = max(len(name) for rows in sections.values() for name, *_ in rows)
    for title, rows in sections.items():
        table = Table.grid(padding=(0, 2, 0, 0))
        for name, *texts in rows:
            table.add_row(Text(f"  {name.ljust(longest)}", style="bold"), *map(Text, filter(None, texts)))
        show(out, "", Text(title.upper(), style="dim"), table)
    show(out, "", Text("ffzoo card NAME tells all that is known of an algorithm.", style="dim"))


def authors_and_year(paper: str) -> str:
    """``"Chen 2026"`` of ``"Chen 2026, arXiv:2606.06539"``."""
    found = re.match(r"(.*?\b(?:19|20)\d\d)\b", paper)
    return found[1] if found else paper


def report(error: BaseException, debug: bool) -> int:
    """Print an error in one line; returns the exit status."""
    if debug:
        import traceback

        traceback.print_exception(error)
    if isinstance(error, BrokenPipeError):  # who reads, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    if isinstance(error, KeyboardInterrupt):
        print("interrupted; a run with --out goes on with --resume", file=sys.stderr)
        return 130
    if isinstance(error, FFZooError):
        text, status = str(error), 2
    elif isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        text, status = f"{error.strerror or error}{where}", 3
    else:
        text, status = f"{type(error).__name__}: {error}".splitlines()[0] + " (--debug shows where)", 1
    print(f"error: {' '.join(text.split())}", file=sys.stderr)
    return status


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    args = parser().parse_args(argv)
    try:
        run(args)
    except (Exception, KeyboardInterrupt) as error:
        return report(error, args.debug)
    return 0
