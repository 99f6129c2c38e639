"""Tables and figures of accuracies and of paired gaps over conditions."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.figure

from ffzoo.bench.grid import Condition, Found, Grid
from ffzoo.bench.report import Figure, Table
from ffzoo.measure.statistics import Gap, paired_gap
from ffzoo.run.style import COLORS

MARKERS, LINES = "osD^v", ("-", "--", ":", "-.", (0, (5, 1, 1, 1)))


def accuracy_table(grid: Grid, found: Found) -> Table:
    """Return every arm on every condition."""
    rows = []
    for condition in grid.conditions:
        for arm in grid.arms:
            cells = found.runs[condition.name][arm.name]
            values = [100 * cell["test_accuracy"] for cell in cells.values()]
            if not values:
                rows.append((condition.name, arm.name, "-", "0", "-", "-", "-"))
                continue
            spread = f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else ""
            local = "yes" if all(cell["strictly_local"] for cell in cells.values()) else "no"
            some = next(iter(cells.values()))
            size = f"{some['blocks']} x {some['max_weight_layers_per_block']}"
            factor = f"{found.factors[condition.name][arm.name]:g}"
            accuracy = f"{statistics.fmean(values):.2f}{spread}"
            rows.append((condition.name, arm.name, accuracy, str(len(values)), factor, size, local))
    columns = ("condition", "arm", "test %, mean ± sd", "seeds", "rate x", "blocks x layers", "strictly local")
    return Table("Accuracy", columns, tuple(rows))


def gap_of(found: Found, condition: str, first: str, second: str) -> Gap | None:
    """Return the paired gap in percentage points; None without a seed that both arms have."""
    seeds = found.shared_seeds(condition, (first, second))
    if not seeds:
        return None
    ours, theirs = ([100 * a for a in found.accuracies(condition, arm, seeds)] for arm in (first, second))
    return paired_gap(ours, theirs)


def written(gap: Gap | None) -> str:
    """Return a gap with its interval, or a dash."""
    return "-" if gap is None else str(gap)


def gap_table(grid: Grid, found: Found, pairs: Sequence[tuple[str, str]]) -> Table:
    """Return gaps of pairs of arms, first minus second, on every condition."""
    rows = tuple(
        (condition.name, *(written(gap_of(found, condition.name, *pair)) for pair in pairs))
        for condition in grid.conditions
    )
    columns = ("condition", *(f"{first} - {second}, points" for first, second in pairs))
    return Table("Gaps", columns, rows)


def _series(grid: Grid) -> dict[str, list[Condition]]:
    found: dict[str, list[Condition]] = {}
    for condition in grid.conditions:
        found.setdefault(condition.series, []).append(condition)
    return found


def gap_figures(grid: Grid, found: Found, pairs: Sequence[tuple[str, str]], axis: str) -> tuple[Figure, ...]:
    """Return gaps against x where there is one, else one panel per condition and one row per pair."""
    caption = f"Paired gaps over {axis}, with 95 % intervals over {len(grid.seeds)} seeds. "
    if any(condition.x is None for condition in grid.conditions):
        return (_rows(grid, found, pairs, caption + "Right of 0 the first arm is ahead."),)
    return (_curves(grid, found, pairs, axis, caption + "Above 0 the first arm is ahead."),)


def _beyond(gap: Gap) -> float:
    """Half the interval's length: it is as far on both sides."""
    return 0.0 if gap.high is None else gap.high - gap.mean


def _curves(grid: Grid, found: Found, pairs: Sequence[tuple[str, str]], axis: str, caption: str) -> Figure:
    series = _series(grid)

    def draw(canvas: matplotlib.figure.FigureBase) -> None:
        panels = canvas.subplots(1, len(series), squeeze=False, sharey=True)[0]
        for ax, (name, conditions) in zip(panels, series.items(), strict=True):
            for number, pair in enumerate(pairs):
                known = [(c.x, gap) for c in conditions if (gap := gap_of(found, c.name, *pair)) is not None]
                aside = 1.04 ** (number - (len(pairs) - 1) / 2)  # so that intervals do not hide each other
                style: Mapping[str, Any] = {
                    "color": COLORS[number % 5],
                    "marker": MARKERS[number % 5],
                    "linestyle": LINES[number % 5],
                }
                ax.errorbar(
                    [x * aside for x, _ in known if x is not None],
                    [gap.mean for _, gap in known],
                    [_beyond(gap) for _, gap in known],
                    capsize=3,
                    label=f"{pair[0]} - {pair[1]}",
                    **style,
                )
            ax.axhline(0, color="#495057", linewidth=1)
            ax.set_xscale("log")
            ticks = sorted({c.x for c in conditions if c.x is not None})
            ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
            ax.minorticks_off()
            ax.set_xlabel(axis)
            ax.set_title(name)
        panels[0].set_ylabel("gap in test accuracy, points")
        canvas.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center")

    return Figure("gaps", caption, draw, (4.6 * len(series) + 1.5, 4.1 + 0.25 * len(pairs)))


def _rows(grid: Grid, found: Found, pairs: Sequence[tuple[str, str]], caption: str) -> Figure:
    firsts = {first for first, _ in pairs}
    names = [f"against {second}" if len(firsts) == 1 else f"{first} - {second}" for first, second in pairs]

    def draw(canvas: matplotlib.figure.FigureBase) -> None:
        panels = canvas.subplots(1, len(grid.conditions), squeeze=False, sharex=True, sharey=True)[0]
        for ax, condition in zip(panels, grid.conditions, strict=True):
            for row, pair in enumerate(pairs):
                gap = gap_of(found, condition.name, *pair)
                if gap is not None:
                    ax.errorbar(gap.mean, row, xerr=_beyond(gap), capsize=3, color=COLORS[0], marker="o")
            ax.axvline(0, color="#495057", linewidth=1)
            ax.set_title(condition.name)
            ax.set_xlabel("gap in test accuracy, points")
            ax.grid(False, axis="y")
        panels[0].set_yticks(range(len(pairs)), names)
        panels[0].set_ylim(len(pairs) - 0.5, -0.5)
        if len(firsts) == 1:
            canvas.suptitle(next(iter(firsts)), fontsize=11)

    return Figure("gaps", caption, draw, (2.9 * len(grid.conditions) + 2.2, 1.4 + 0.4 * len(pairs)))
