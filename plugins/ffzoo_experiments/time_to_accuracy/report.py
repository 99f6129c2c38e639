"""Table, figure and verdicts of ``time_to_accuracy``."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from itertools import cycle
from typing import Any

import matplotlib.figure

from ffzoo.bench import RunConfig
from ffzoo.plugin import Figure, Table

_COLOURS = ("#1971c2", "#e8590c", "#868e96", "#2f9e44", "#9c36b5", "#c92a2a")


def _mean(runs: list[dict[str, Any]], key: str) -> float | None:
    values = [run[key] for run in runs if run[key] is not None]
    return statistics.fmean(values) if values else None


def table(title: str, found: Mapping[str, list[dict[str, Any]]]) -> Table:
    """One row an arm: accuracy, seconds, operations, memory, locality."""
    rows = []
    for name, runs in found.items():
        accuracy = [100 * run["test_accuracy"] for run in runs]
        spread = f" ± {statistics.stdev(accuracy):.2f}" if len(accuracy) > 1 else ""
        flops, saved = _mean(runs, "train_flops"), _mean(runs, "saved_activation_bytes")
        rows.append(
            (
                name,
                f"{statistics.fmean(accuracy):.2f}{spread}",
                f"{_mean(runs, 'train_seconds'):,.0f}",
                "-" if flops is None else f"{flops / 1e15:.3f}",
                "-" if saved is None else f"{saved / 2**20:,.0f}",
                f"{runs[0]['blocks']} x {runs[0]['max_weight_layers_per_block']}",
                "yes" if all(run["strictly_local"] for run in runs) else "no",
            )
        )
    columns = ("arm", "test %", "training s", "PFLOP", "saved MiB", "blocks x layers", "strictly local")
    return Table(title, columns, tuple(rows))


def figures(title: str, found: Mapping[str, list[dict[str, Any]]]) -> tuple[Figure, ...]:
    """Validation accuracy against time and against operations; nothing without a validation part."""
    points = [epoch for runs in found.values() for run in runs for epoch in run["curve"]]
    if all(point["validation_accuracy"] is None for point in points):
        return ()

    def draw(canvas: matplotlib.figure.FigureBase) -> None:
        axes = canvas.subplots(1, 2, sharey=True)
        for ax, key, unit, label in (
            (axes[0], "train_seconds", 60, "training, minutes"),
            (axes[1], "train_flops", 1e15, "training, PFLOP"),
        ):
            for colour, (name, runs) in zip(cycle(_COLOURS), found.items(), strict=False):
                for number, run in enumerate(runs):
                    curve = [e for e in run["curve"] if e["validation_accuracy"] is not None and e[key] is not None]
                    xs = [e[key] / unit for e in curve]
                    ys = [100 * e["validation_accuracy"] for e in curve]
                    ax.plot(xs, ys, color=colour, alpha=0.9, label=None if number else name)
                    ax.plot(xs[-1:], ys[-1:], "o", color=colour, markersize=4)
            ax.set_xlabel(label)
        axes[0].set_ylabel("validation accuracy, %")
        axes[0].set_title(title)
        axes[1].legend(loc="lower right")

    return (Figure("curves", "Validation accuracy against training time and arithmetic.", draw, (9.5, 4.2)),)


def verdicts(found: Mapping[str, list[dict[str, Any]]]) -> tuple[str, ...]:
    """What the first arm reached, and its gaps to the others."""
    from ffzoo.bench import paired_gap

    first, *others = found.items()
    name, runs = first
    accuracies = [run["test_accuracy"] for run in runs]
    local = "strictly local" if all(run["strictly_local"] for run in runs) else "not strictly local"
    minutes = (_mean(runs, "train_seconds") or 0.0) / 60
    lines = [
        f"{name}, {local}, has {100 * statistics.fmean(accuracies):.2f} % after {minutes:.1f} minutes of training "
        f"(mean of {len(runs)})"
    ]
    for other, theirs in others:
        gap = paired_gap(accuracies, [run["test_accuracy"] for run in theirs])
        interval = "" if gap.low is None or gap.high is None else f" [{100 * gap.low:+.2f}, {100 * gap.high:+.2f}]"
        lines.append(f"{name} minus {other}: {100 * gap.mean:+.2f}{interval} points over {gap.seeds} seed(s)")
    return tuple(lines)


def recipe(run: RunConfig) -> str:
    """What the recipe uses beyond the algorithm, equal in all arms."""
    fit, data = run.fit, run.data
    muon = f"muon lr {fit.muon_lr:g}, " if fit.optimizer == "muon" else ""
    rest = "adamw" if fit.optimizer == "muon" else fit.optimizer
    views = ["the mirror image"] * data.test_flip + [f"shifts of {data.test_shift} px"] * bool(data.test_shift)
    parts = [
        f"{muon}{rest} lr {fit.lr:g}, {fit.schedule} after {100 * fit.warmup:g} % warm-up",
        f"batch {fit.batch_size}",
        f"label smoothing {fit.label_smoothing:g}",
        f"augmentation {'+'.join(fit.augment) or 'none'}",
        f"predictions averaged over {' and '.join(views)}" if views else "",
        f"{100 * data.validation:g} % of the training part held out",
        run.execution.precision,
        f"{run.execution.convolution} convolutions",
    ]
    return "Equal in all arms: " + "; ".join(part for part in parts if part) + "."
