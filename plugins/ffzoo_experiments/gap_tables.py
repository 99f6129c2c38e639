"""Tables and figures of accuracies and of paired gaps over conditions."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.figure

from ffzoo.bench.grid import Condition, Found, Grid
from ffzoo.bench.report import Figure, Table
from ffzoo.bench.statistics import Gap, paired_gap

COLORS = ("#1864ab", "#e8590c", "#2b8a3e", "#862e9c", "#495057")
MARKERS, LINES = "osD^v", ("-", "--", ":", "-.", (0, (5, 1, 1, 1)))


def accuracy_table(grid: Grid, found: Found) -> Table:
    """Every arm on every condition."""
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
    """Paired gap in percentage points; None without a seed that both arms have."""
    seeds = found.shared_seeds(condition, (first, second))
    if not seeds:
        return None
    ours, theirs = ([100 * a for a in found.accuracies(condition, arm, seeds)] for arm in (first, second))
    return paired_gap(ours, theirs)


def written(gap: Gap | None) -> str:
    """A gap with its interval."""
    if gap is None:
        return "-"
    ends = "" if gap.low is None or gap.high is None else f" [{gap.low:+.2f}, {gap.high:+.2f}]"
    return f"{gap.mean:+.2f}{ends}"


def gap_table(grid: Grid, found: Found, pairs: Sequence[tuple[str, str]]) -> Table:
    """Gaps of pairs of arms, first minus second, on every condition."""
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
    """Gaps against x where there is one, else one row a condition."""
    series = _series(grid)
    along = all(condition.x is not None for condition in grid.conditions)

    def draw(canvas: matplotlib.figure.FigureBase) -> None:
        panels = canvas.subplots(1, len(series), squeeze=False, sharey=True)[0]
        for ax, (name, conditions) in zip(panels, series.items(), strict=True):
            for number, pair in enumerate(pairs):
                known = [(c, gap) for c in conditions if (gap := gap_of(found, c.name, *pair)) is not None]
                place = [float(i) if c.x is None else c.x for i, (c, _) in enumerate(known)]
                middle = [gap.mean for _, gap in known]
                error = [0.0 if gap.high is None else gap.high - gap.mean for _, gap in known]  # as far on both sides
                style: Mapping[str, Any] = {
                    "color": COLORS[number % 5],
                    "marker": MARKERS[number % 5],
                    "linestyle": LINES[number % 5] if along else "none",
                }
                aside = number - (len(pairs) - 1) / 2  # so that intervals do not hide each other
                place = [p * 1.04**aside if along else p + 0.15 * aside for p in place]
                ax.errorbar(place, middle, error, capsize=3, label=f"{pair[0]} - {pair[1]}", **style)
            ax.axhline(0, color="#495057", linewidth=1)
            if along:
                ax.set_xscale("log")
                ticks = sorted({c.x for c in conditions if c.x is not None})
                ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
                ax.minorticks_off()
            else:
                names = [c.name for c in conditions]
                aslant = len(" ".join(names)) > 55  # else they would run into each other
                ax.set_xticks(
                    range(len(names)), names, rotation=20 if aslant else 0, ha="right" if aslant else "center"
                )
                ax.set_xlim(-0.5, len(conditions) - 0.5)
                ax.grid(False, axis="x")
            ax.set_xlabel(axis)
            ax.set_title(name)
        panels[0].set_ylabel("gap in test accuracy, points")
        canvas.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center")

    caption = (
        f"Paired gaps over {axis}, with 95 % intervals over {len(grid.seeds)} seeds. Above 0 the first arm is ahead."
    )
    return (Figure("gaps", caption, draw, (4.6 * len(series) + 1.5, 4.1 + 0.25 * len(pairs))),)
