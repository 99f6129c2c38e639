"""An evaluation as a data frame's rows, a LaTeX table, a figure, and what a notebook shows. No torch in here."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict
from html import escape
from typing import TYPE_CHECKING, Any

from ffzoo.measure.statistics import Gap

if TYPE_CHECKING:
    from ffzoo.run.canvas import Panel
    from ffzoo.run.results import Evaluation, RunResult


_NO_COLUMNS = ("schema_version", "per_block_accuracy", "locality", "metrics", "versions")


def rows(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Return a row per run: the fields of its result that are one value, each block's accuracy, and its metrics."""
    found = []
    for run in (run for runs, _ in _arms(evaluation) for run in runs):
        values = {k: v for k, v in asdict(run).items() if k not in _NO_COLUMNS}
        blocks = {f"test_accuracy_{l}": value for l, value in enumerate(run.per_block_accuracy or (), 1)}
        metrics = {k: v for k, v in run.metrics.items() if isinstance(v, int | float)}
        found.append(values | blocks | metrics)
    return found


def _arms(evaluation: Evaluation) -> list[tuple[tuple[RunResult, ...], Gap | None]]:
    """Return the runs of each algorithm with the gap of the first minus it."""
    return [(evaluation.runs, None), *((c.other.runs, c.gap) for c in evaluation.against)]


def _mean(runs: Sequence[RunResult]) -> tuple[float, float | None]:
    """Return mean and standard deviation of the test accuracy in percent."""
    values = [100 * run.test_accuracy for run in runs]
    return statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None


def _points(gap: Gap) -> Gap:
    """Return a gap of fractions as percentage points."""
    low, high = (None if end is None else 100 * end for end in (gap.low, gap.high))
    return Gap(100 * gap.mean, low, high, gap.seeds)


def _title(evaluation: Evaluation) -> str:
    first = evaluation.runs[0]
    seeds = ", ".join(str(run.seed) for run in evaluation.runs)
    word = "seeds" if len(evaluation.runs) > 1 else "seed"
    return f"{first.dataset}, {first.backbone}, {first.epochs} epochs, {word} {seeds}"


def latex(evaluation: Evaluation) -> str:
    """Return a table with the package booktabs: accuracy, gap with its interval, whether it is strictly local."""
    compared = bool(evaluation.against)
    first = evaluation.runs[0].algo
    heads = [
        "Algorithm",
        r"Test accuracy (\%)",
        *([f"{_escaped(first)} minus it"] if compared else []),
        "Strictly local",
    ]
    lines = [r"\begin{tabular}{l" + "c" * (len(heads) - 1) + "}", r"\toprule", " & ".join(heads) + r" \\", r"\midrule"]
    for runs, gap in _arms(evaluation):
        mean, sd = _mean(runs)
        cells = [_escaped(runs[0].algo), f"${mean:.2f}" + (rf" \pm {sd:.2f}$" if sd is not None else "$")]
        if compared:
            cells.append("--" if gap is None else f"${_points(gap)}$")
        cells.append("yes" if all(run.strictly_local for run in runs) else "no")
        lines.append(" & ".join(cells) + r" \\")
    lines += [r"\bottomrule", r"\end{tabular}", f"% {_title(evaluation)}; mean and standard deviation over seeds"]
    lines += (
        ["% gaps in percentage points, paired by seed, with 95 % intervals of the t distribution"] if compared else []
    )
    return "\n".join(lines) + "\n"


def _escaped(name: str) -> str:
    return name.replace("_", r"\_")


def html(evaluation: Evaluation) -> str:
    """Return a table for a notebook."""
    first = evaluation.runs[0].algo
    blocks = max(len(run.per_block_accuracy or ()) for runs, _ in _arms(evaluation) for run in runs)
    heads = ["algorithm", "test %", *(f"block {l}" for l in range(1, blocks + 1)), "strictly local"]
    heads += [f"{first} minus it, points"] if evaluation.against else []
    lines = [f"<caption>{escape(_title(evaluation))}</caption>", "<tr>" + _cells("th", heads) + "</tr>"]
    for runs, gap in _arms(evaluation):
        mean, sd = _mean(runs)
        cells = [runs[0].algo, f"{mean:.2f}" + (f" ± {sd:.2f}" if sd is not None else "")]
        for l in range(blocks):
            values = [(run.per_block_accuracy or ())[l : l + 1] for run in runs]
            known = [value[0] for value in values if value and value[0] is not None]
            cells.append(f"{100 * statistics.fmean(known):.2f}" if known else "")
        cells.append("yes" if all(run.strictly_local for run in runs) else "no")
        cells += ["" if gap is None else str(_points(gap))] if evaluation.against else []
        lines.append("<tr>" + _cells("td", cells) + "</tr>")
    return "<table>" + "".join(lines) + "</table>"


def _cells(tag: str, texts: Sequence[str]) -> str:
    return "".join(f"<{tag}>{escape(text)}</{tag}>" for text in texts)


def panel(evaluation: Evaluation) -> Panel:
    """Return a figure: a row per algorithm with a point per seed, the mean, and its gap to the first."""
    from matplotlib.figure import FigureBase

    from ffzoo.run.canvas import Panel
    from ffzoo.run.style import COLORS

    arms = _arms(evaluation)

    def draw(canvas: FigureBase) -> None:
        ax = canvas.subplots()
        names = []
        for row, (runs, gap) in enumerate(arms):
            color = COLORS[row % len(COLORS)]
            values = [100 * run.test_accuracy for run in runs]
            ax.plot(values, [row] * len(values), "o", color=color, alpha=0.45, markersize=6, clip_on=False)
            ax.plot(statistics.fmean(values), row, "|", color=color, markersize=20, markeredgewidth=2.5, clip_on=False)
            said = "" if gap is None else f"\n{evaluation.runs[0].algo} minus it: {_points(gap)}"
            names.append(f"{runs[0].algo}{said}")
        ax.set_yticks(range(len(arms)), names)
        ax.set_ylim(len(arms) - 0.5, -0.5)
        ax.grid(False, axis="y")
        ax.set_xlabel("test accuracy, %: a point per seed, and the mean")

    return Panel(draw, (7.2, 1.3 + 0.55 * len(arms)), _title(evaluation))
