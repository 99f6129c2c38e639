"""Table, figure and verdicts of ``zoo``."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Any

import matplotlib.figure

from ffzoo.bench import ZOO, card_of
from ffzoo.plugin import Figure, Table

FLOOR, CEILING = "random_features", "bp"

Found = Mapping[str, Mapping[str, dict[str, Any]]]


def _accuracies(found: Found, algo: str, dataset: str) -> list[float]:
    """Test accuracies in percent; empty where the algorithm refused, or was not run."""
    runs = found.get(algo, {}).get(dataset, {}).get("runs", [])
    return [100 * run["accuracy"] for run in runs if "accuracy" in run]


def _datasets(found: Found) -> list[str]:
    return list(next(iter(found.values())))


def _ranked(found: Found) -> list[str]:
    """Algorithms by their mean over the data sets that they ran on, best first."""

    def mean(algo: str) -> float:
        values = [a for dataset in _datasets(found) for a in _accuracies(found, algo, dataset)]
        return statistics.fmean(values) if values else -1.0

    return sorted(found, key=mean, reverse=True)


def tables(found: Found) -> tuple[Table, ...]:
    """One row an algorithm: accuracy on each data set, and what was measured of its locality."""
    datasets = _datasets(found)
    rows = []
    for algo in _ranked(found):
        cells = []
        for dataset in datasets:
            values = _accuracies(found, algo, dataset)
            spread = f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else ""
            cells.append(f"{statistics.fmean(values):.2f}{spread}" if values else "refused")
        runs = [run for cell in found[algo].values() for run in cell.get("runs", ()) if "accuracy" in run]
        local = "-" if not runs else "yes" if all(run["strictly_local"] for run in runs) else "no"
        coupling = runs[0]["coupling"] if runs else "-"
        card = card_of(ZOO["algorithms"].get(algo))
        source = "-" if card is None else "reconstruction" if card.reconstruction else card.source
        rows.append((algo, *cells, local, coupling, source))
    columns = ("algorithm", *(f"{dataset} %" for dataset in datasets), "strictly local", "coupling", "source")
    return (Table("Test accuracy, mean ± sd over seeds", columns, tuple(rows)),)


def figures(found: Found) -> tuple[Figure, ...]:
    """Every run as a dot, a panel a data set; lines at the floor and at backprop."""
    datasets, order = _datasets(found), list(reversed(_ranked(found)))

    def draw(canvas: matplotlib.figure.FigureBase) -> None:
        panels = canvas.subplots(1, len(datasets), sharey=True, squeeze=False)[0]
        for ax, dataset in zip(panels, datasets, strict=True):
            everything: list[float] = []
            for row, algo in enumerate(order):
                values = _accuracies(found, algo, dataset)
                if not values:
                    continue
                everything += values
                ax.plot(values, [row] * len(values), "o", color="#74c0fc", markersize=4, zorder=2)
                ax.plot([statistics.fmean(values)], [row], "|", color="#1864ab", markersize=10, mew=2, zorder=3)
            for algo, style in ((FLOOR, ":"), (CEILING, "--")):
                values = _accuracies(found, algo, dataset)
                if values:
                    ax.axvline(statistics.fmean(values), color="#495057", linestyle=style, linewidth=1, zorder=1)
            if everything:  # one that fails must not squeeze all others together
                low = sorted(everything)[len(everything) // 10]
                top = max(everything)
                left = low - 0.25 * (top - low) - 0.5
                ax.set_xlim(left, top + 0.5)
                for row, algo in enumerate(order):
                    values = _accuracies(found, algo, dataset)
                    if values and (mean := statistics.fmean(values)) < left:
                        ax.text(left, row, f" ◂ {mean:.1f}", color="#1864ab", fontsize=7, va="center")
            ax.set_title(dataset)
            ax.set_xlabel("test accuracy, %")
        panels[0].set_yticks(range(len(order)), order, fontsize=8)
        panels[0].set_ylim(-0.7, len(order) - 0.3)

    caption = (
        f"Test accuracy of every run (dots) and its mean (bars). Dotted: {FLOOR}, the floor; dashed: {CEILING}. "
        "◂: the mean of a rule that lies further left."
    )
    return (Figure("leaderboard", caption, draw, (3.2 * len(datasets) + 1.8, 0.19 * len(order) + 1.4)),)


def floor(found: Found) -> tuple[str, ...]:
    """Which algorithms stay below random features with a linear readout."""
    notes = []
    for dataset in _datasets(found):
        control = _accuracies(found, FLOOR, dataset)
        if not control:
            continue
        level = statistics.fmean(control)
        below = [
            algo
            for algo in _ranked(found)
            if algo != FLOOR and (values := _accuracies(found, algo, dataset)) and statistics.fmean(values) < level
        ]
        notes.append(f"Below the floor of {level:.2f} % on {dataset}: {', '.join(below) or 'none'}.")
    return tuple(notes)


def verdicts(found: Found) -> tuple[str, ...]:
    """The best local rule beside backprop on each data set, in a sentence that claims no more than it shows."""
    lines = []
    for dataset in _datasets(found):
        local = [
            algo
            for algo in found
            if _accuracies(found, algo, dataset) and all(run["strictly_local"] for run in found[algo][dataset]["runs"])
        ]
        if not local:
            continue
        best = max(local, key=lambda algo: statistics.fmean(_accuracies(found, algo, dataset)))
        line = f"{dataset}: of the strictly local rules {best} has most, "
        line += f"{statistics.fmean(_accuracies(found, best, dataset)):.2f} %"
        reference = _accuracies(found, CEILING, dataset)
        if reference:
            line += f"; {CEILING} has {statistics.fmean(reference):.2f} %"
        lines.append(line)
    return tuple(lines)
