"""The tables of ``speed``, and what a reader has to know of them."""

from __future__ import annotations

from collections.abc import Callable

from ffzoo.bench import backbone_config, environment, to_json
from ffzoo.plugin import Table
from ffzoo_experiments.speed.arms import settings_of
from ffzoo_experiments.speed.results import ArmResult, Findings


def tables(found: Findings) -> tuple[Table, ...]:
    """One table a precision, and one of the sizes."""
    made = [_arms(found, precision) for precision in found.config.precisions]
    return (*made, _scaling(found)) if found.scaling else tuple(made)


def _arms(found: Findings, precision: str) -> Table:
    reference, arms = found.config.reference, found.of(precision)
    columns: dict[str, Callable[[ArmResult], str]] = {
        "arm": lambda arm: arm.name,
        "images/s": lambda arm: number(arm.images_per_second),
        f"x {reference} [95 %]": lambda arm: str(arm.ratio),
        "saved MiB": lambda arm: mebibytes(arm.saved_activation_bytes),
        f"x {reference}": lambda arm: f"{arm.saved_ratio:.2f}",
        "resident MiB": lambda arm: mebibytes(arm.peak_rss_bytes),
        "allocated MiB": lambda arm: mebibytes(arm.peak_allocated_bytes),
        "GFLOP a step": lambda arm: f"{arm.flops / 1e9:.3g}",
        "of ceiling": lambda arm: "-" if arm.utilisation is None else f"{100 * arm.utilisation:.0f} %",
    }
    cells = {head: tuple(text(arm) for arm in arms) for head, text in columns.items()}
    measured = [head for head, column in cells.items() if set(column) != {"-"}]
    return Table(
        f"A training step, {precision}", tuple(measured), tuple(zip(*(cells[head] for head in measured), strict=True))
    )


def _scaling(found: Findings) -> Table:
    algo, reference = found.config.algos[0], found.config.reference
    columns = (
        *("", f"{reference} images/s", f"{algo} images/s", f"x {reference} [95 %]"),
        *(f"{reference} saved MiB", f"{algo} saved MiB", f"x {reference}"),
    )
    rows = []
    for size in found.scaling:
        saved, speed = size.saved_activation_bytes, size.images_per_second
        rows.append(
            (
                f"{size.axis} {size.value}",
                number(speed[reference]),
                number(speed[algo]),
                str(size.ratio),
                mebibytes(saved[reference]),
                mebibytes(saved[algo]),
                f"{saved[algo] / saved[reference]:.2f}",
            )
        )
    return Table(f"Scaling, {found.config.precisions[0]}", columns, tuple(rows))


def number(value: float) -> str:
    """A number with three figures or more."""
    return f"{value:,.0f}" if value >= 100 else f"{value:#.3g}"


def mebibytes(count: float | None) -> str:
    """Bytes as MiB, three figures or more; a dash for what was not measured."""
    return "-" if count is None else number(count / 2**20)


def notes(found: Findings) -> tuple[str, ...]:
    """How it was measured, and what was left out."""
    config, hardware, versions = found.config, found.machine["hardware"], found.machine["versions"]
    chosen = to_json(backbone_config(config.backbone, settings_of(config))) or {}
    sizes = ", ".join(f"{key} {value}" for key, value in chosen.items())
    lines = [
        f"{environment.where(hardware)}; torch {versions['torch']}; "
        f"a copy in memory moves {found.copy_bytes_per_second / 1e9:.3g} GB/s.",
        f"Every arm: backbone {config.backbone} ({sizes}), {config.batch_size} random images of "
        f"{config.channels}x{config.side}x{config.side} a step, {config.classes} classes, AdamW, channels_last.",
        f"Times: one step of every arm in each of {config.rounds} rounds, in random order. A ratio is the median of "
        "the ratios within rounds, in brackets its 95 % interval.",
        "saved: most bytes kept at one time for a later backward, counted. of ceiling: operations per second over "
        "those of the step's own convolutions and linear layers when each runs alone. Both of a compiled arm are "
        "counted on the same step uncompiled.",
        f"'{config.reference}, again' is the reference a second time: how far two equal arms lie apart.",
    ]
    if any(arm.peak_rss_bytes is not None for arm in found.arms):
        lines.append(
            "resident: growth of resident memory over three steps in a process of its own, optimizer states included."
        )
    if any(arm.peak_allocated_bytes is not None for arm in found.arms):
        lines.append("allocated: peak of the CUDA allocator while the arm was alone, weights and optimizer included.")
    if hardware["accelerator"] is None and hardware["system"] == "Linux":
        lines.append("The C library was told to keep freed memory (mallopt), in all arms alike.")
    return (*lines, *(f"Left out: {name}: {reason}." for name, reason in found.left_out.items()))
