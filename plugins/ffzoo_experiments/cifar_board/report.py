"""Table, figure and verdicts of ``cifar_board``."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib.figure

from ffzoo.plugin import Figure, Published, Table

RECORDS = (("airbench94_muon", 0.29, 94.0), ("airbench94", 0.36, 94.0), ("airbench96", 3.1, 96.0))
"""Public records of backprop on CIFAR-10, K. Jordan (arXiv:2404.00498): name, training PFLOP, test %."""
BACKPROP, FLOOR = "bp", "random_features"


@dataclass(frozen=True)
class Row:
    """What was found of one algorithm.

    Attributes:
        name: of the algorithm.
        factor: of the learning rate, as the search chose it.
        cells: one for each seed.
        published: its best published figure on this data set.
    """

    name: str
    factor: float
    cells: tuple[dict[str, Any], ...]
    published: Published | None

    @property
    def accuracies(self) -> list[float]:
        """Test accuracies, percent."""
        return [100 * cell["test_accuracy"] for cell in self.cells]

    @property
    def mean(self) -> float:
        """Mean test accuracy, percent."""
        return statistics.fmean(self.accuracies)

    @property
    def local(self) -> bool:
        """Whether every run was strictly local as measured."""
        return all(cell["strictly_local"] for cell in self.cells)

    def of(self, key: str, unit: float) -> float | None:
        """Return the mean of a number of the cells, in a unit; None where it was not counted."""
        values = [cell[key] for cell in self.cells if cell[key] is not None]
        return statistics.fmean(values) / unit if values else None


def tables(rows: Sequence[Row]) -> tuple[Table, ...]:
    """Return one row for each algorithm, best first."""
    body = []
    for row in sorted(rows, key=lambda row: -row.mean):
        spread = f" ± {statistics.stdev(row.accuracies):.2f}" if len(row.cells) > 1 else ""
        flops, saved, seconds = (
            row.of(key, unit)
            for key, unit in (("train_flops", 1e15), ("saved_activation_bytes", 2**20), ("train_seconds", 1))
        )
        body.append(
            (
                row.name,
                f"{row.mean:.2f}{spread}",
                str(len(row.cells)),
                f"{row.factor:g}",
                "-" if flops is None else f"{flops:.4f}",
                "-" if saved is None else f"{saved:,.0f}",
                "-" if seconds is None else f"{seconds:,.0f}",
                "yes" if row.local else "no",
                "-" if row.published is None else f"{row.published.accuracy:g} ({row.published.network})",
            )
        )
    columns = ("algorithm", "test %", "seeds", "rate x", "PFLOP", "saved MiB", "s", "strictly local", "published %")
    return (Table("Test accuracy, mean ± sd over seeds", columns, tuple(body)),)


def figures(rows: Sequence[Row]) -> tuple[Figure, ...]:
    """Draw accuracy against training arithmetic, with the public records of backprop; nothing without counts."""
    counted = [(row, flops) for row in rows if (flops := row.of("train_flops", 1e15)) is not None]
    if not counted:
        return ()
    named = _named(counted)

    def draw(canvas: matplotlib.figure.FigureBase) -> None:
        ax = canvas.subplots()
        for local, face, label in ((True, "#1971c2", "strictly local, as measured"), (False, "none", "not")):
            points = [(flops, row.mean) for row, flops in counted if row.local == local]
            if points:
                ax.scatter(*zip(*points, strict=True), s=30, facecolor=face, edgecolor="#1971c2", label=label, zorder=3)
        ax.scatter(
            [flops for _, flops, _ in RECORDS],
            [accuracy for *_, accuracy in RECORDS],
            **{"marker": "*", "s": 110, "color": "#e8590c", "label": "public records of backprop", "zorder": 3},
        )
        for text, x, y in (*RECORDS, *((row.name, flops, row.mean) for row, flops in counted if row.name in named)):
            ax.annotate(text, (x, y), xytext=(5, 4), textcoords="offset points", fontsize=7)
        ax.set_xscale("log")
        ax.set_xlabel("training, PFLOP")
        ax.set_ylabel("test accuracy, %")
        ax.legend(loc="lower right")

    caption = (
        "Test accuracy against the arithmetic of the whole training, one point for each algorithm. Named: backprop, "
        "random features, and whatever nothing with less arithmetic beats."
    )
    return (Figure("pflop", caption, draw, (8.5, 5.4)),)


def _named(counted: Sequence[tuple[Row, float]]) -> set[str]:
    """Return what a reader looks for: the two references, and the rules that nothing cheaper beats."""
    front = {row.name for row, flops in counted if not any(f < flops and r.mean > row.mean for r, f in counted)}
    return front | {BACKPROP, FLOOR}


def verdicts(rows: Sequence[Row]) -> tuple[str, ...]:
    """Return the best strictly local rule beside backprop."""
    local = [row for row in rows if row.local]
    if not local:
        return ("descriptive",)
    best = max(local, key=lambda row: row.mean)
    line = f"of the strictly local rules {best.name} has most, {best.mean:.2f} % (mean of {len(best.cells)})"
    reference = next((row for row in rows if row.name == BACKPROP), None)
    return (line if reference is None else f"{line}; {BACKPROP} has {reference.mean:.2f} %",)
