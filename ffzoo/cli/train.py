"""``ffzoo train``: train an algorithm, measure it, test it once.

Everything is parsed and validated before torch is imported, and the plan is printed first.
"""

from __future__ import annotations

import argparse
import typing
from typing import Any, Literal

from ffzoo.cli.listing import print_list
from ffzoo.cli.parser import Commands, add_command, add_common
from ffzoo.errors import OptionError
from ffzoo.registry import options
from ffzoo.run.configuration import read
from ffzoo.run.spec import RunSpec, parse_set

EPILOG = """\
examples:
  ffzoo train --algo dtg_ff
  ffzoo train --algo dtg_ff --against bp,bp_deepsup --seeds 0,1,2
  ffzoo train --algo dtg_ff --dataset cifar10 --backbone cnn --out runs/x
  ffzoo train --algo dtg_ff --config fast_cifar --out runs/y
  ffzoo train --resume runs/x
  ffzoo train --from runs/x --epochs 20 --set fit.lr=0.0003 --out runs/z
  ffzoo train --algo dtg_ff --set fusion=last --set fit.lr=0.001

keys of --set: fit.*, backbone.* and data.*; of a recipe: its parts (fusion,
forward_norm, isolation, fusion_grad, ...) and their options (goodness.grid,
loss.threshold, fusion.first, ...).

A --config file has the same keys. Its table [run] has the other options but
for --data-dir and --out; the command line overrides it.
"""

_WHAT = {
    "algo": ("NAME", "algorithm; ffzoo list names them"),
    "dataset": ("NAME", "data set, or folder:PATH, npz:PATH"),
    "backbone": ("NAME", "backbone or timm:MODEL (default: the data set's)"),
    "against": ("NAME,...", "train these too, and print the paired gaps"),
    "epochs": ("N", "passes over the training set (default: the data set's)"),
    "minutes": ("N", "fit the epochs to about N minutes in all"),
    "batch_size": ("N", "samples per step (default: the data set's)"),
    "seeds": ("N,...", "several give a mean and a standard deviation"),
}
_HOW = {
    "device": ("NAME", "auto, cpu, cuda or mps"),
    "precision": ("", "bf16 runs the blocks under autocast"),
    "memory_format": ("", "how maps lie in memory"),
    "convolution": ("", "how 3x3 convolutions are computed"),
    "micro_batch": ("N|auto", "samples forwarded at once; auto measures what is fastest"),
    "compile": ("", "compile blocks with torch.compile, a minute at the start"),
    "checkpoint_blocks": ("", "recompute a block's activations in its backward"),
}
_RESULTS = {
    "data_dir": ("DIR", "data sets (default: FFZOO_DATA, else the cache folder)"),
    "out": ("DIR", "new run folder: config, metrics, checkpoint, result"),
    "metrics": ("NAME,...", "measured on the test set besides accuracy, such as top5"),
    "observers": ("NAME,...", "what else watches the runs: tensorboard, wandb, or of a plugin"),
}
OPTIONS = _WHAT | _HOW | _RESULTS
"""Fields of :class:`~ffzoo.run.spec.RunSpec` that are options: how the value is called, and what the help says."""

_SHORT = {"seeds": ["--seed"], "observers": ["--log"]}


def add(commands: Commands) -> None:
    """Add the command and its alias ``eval``."""
    p = add_command(
        commands, "train", run, "train an algorithm, measure it, test it once", aliases=["eval"], epilog=EPILOG
    )
    p.set_defaults(interrupted="interrupted; a run with --out goes on with --resume")
    what = p.add_argument_group("what to run")
    for name in _WHAT:
        _add_option(what, name)
    what.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", dest="settings", help="any other option"
    )
    what.add_argument("--config", metavar="FILE|NAME", help="a TOML file, or one that ships; ffzoo list names these")
    how = p.add_argument_group("how to run it")
    for name in _HOW:
        _add_option(how, name)
    results = p.add_argument_group("data and results")
    for name in _RESULTS:
        _add_option(results, name)
    results.add_argument("--resume", metavar="DIR", help="go on with a run folder, also to more --epochs")
    results.add_argument("--from", metavar="RUN", dest="start", help="a new run with the weights and options of RUN")
    p.add_argument("--list", action="store_true", help="the same as ffzoo list")
    add_common(p, quiet=True)


def _add_option(group: Any, name: str) -> None:
    """Add the option of a field: its values, its default and whether it is a switch come from there."""
    annotation, default = options.field_types(RunSpec)[name], RunSpec.__dataclass_fields__[name].default
    metavar, text = OPTIONS[name]
    flags = [f"--{name.replace('_', '-')}", *_SHORT.get(name, [])]
    if annotation is bool:
        group.add_argument(*flags, action="store_const", const=True, help=text)
        return
    if typing.get_origin(annotation) is Literal:
        metavar = "|".join(typing.get_args(annotation))
    shown = f" (default: {options.to_text(default)})" if default else ""
    group.add_argument(*flags, dest=name, metavar=metavar, help=text + shown)


def spec(args: argparse.Namespace) -> RunSpec:
    """Return what is to be run: ``--config``, overridden by the options and by ``--set``.

    Raises:
        OptionError: a configuration, a key or a value that cannot be used.
    """
    said, settings = ({}, {}) if args.config is None else read(args.config)
    chosen = parse_set(args.settings)
    given = {name: value for name in OPTIONS if (value := getattr(args, name)) is not None}
    # A length that is said in another way overrides the file's.
    for name, others in (
        ("epochs", {"minutes", "fit.epochs"}),
        ("minutes", {"epochs", "fit.epochs"}),
        ("batch_size", {"fit.batch_size"}),
    ):
        if others & {*given, *chosen}:
            said.pop(name, None)
    of_file = RunSpec(settings=settings | chosen, progress=not args.quiet, **said)
    return options.replace(of_file, given, "")


def run(args: argparse.Namespace) -> int:
    """Carry out a parsed command line.

    Raises:
        FFZooError: something the user can put right.
    """
    if args.list:
        print_list()
        return 0
    if args.resume is not None:
        _resume(args)
        return 0
    if args.start is not None:
        _train_from(args)
        return 0
    wanted = spec(args)
    wanted.runs()  # what is wrong is refused now: importing torch takes seconds
    from ffzoo.run.environment import keep_freed_memory
    from ffzoo.run.evaluate import carry_out

    keep_freed_memory()
    carry_out(wanted)
    return 0


def _train_from(args: argparse.Namespace) -> None:
    from ffzoo.run.environment import keep_freed_memory
    from ffzoo.run.evaluate import train_from

    wanted, said = spec(args), _said(args)
    keep_freed_memory()
    train_from(args.start, wanted, said)


def _resume(args: argparse.Namespace) -> None:
    if args.out is not None:
        raise OptionError("--out cannot change a run that has begun; expected --resume without it")
    from ffzoo.run.environment import keep_freed_memory
    from ffzoo.run.evaluate import resume

    wanted, said = spec(args), _said(args)
    keep_freed_memory()
    resume(args.resume, data_dir=wanted.data_dir, progress=wanted.progress, observers=wanted.observers, given=said)


def _said(args: argparse.Namespace) -> dict[str, Any]:
    """Return the fields of a specification that were given, by ``--config`` or by an option."""
    said, _ = ({}, {}) if args.config is None else read(args.config)
    wanted = spec(args)
    named = {*said, *(name for name in OPTIONS if getattr(args, name) is not None)}
    if args.settings or args.config is not None:
        named.add("settings")
    return {name: getattr(wanted, name) for name in named}
