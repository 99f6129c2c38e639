"""E12: how much each block knows: its own scores, and a linear probe of its features."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import matplotlib.figure

from ffzoo.bench import COLORS, LINES, MARKERS, Claim, Comparison, Found, Words, compare
from ffzoo.plugin import Arm, Figure, Grid, Report, Study, Table
from ffzoo_experiments.claims.setting import image_grid

if TYPE_CHECKING:
    from ffzoo import Algorithm
    from ffzoo.bench import DataBundle, Preprocess

ARMS = tuple(Arm(name, name) for name in ("dtg_ff", "mono_forward", "bp_deepsup", "bp", "random_features"))
PAIRS = (("dtg_ff", "bp_deepsup"), ("mono_forward", "bp_deepsup"), ("dtg_ff", "random_features"))
WORDS = Words(
    question="Do later blocks of a local rule know more than earlier ones, and as much as backprop's?",
    claim="None is made; greedy local rules are said to throw away early what later blocks would need.",
    limits="A small CNN, subsets of two data sets, a short training, and probes that are linear.",
    axis="data set",
)


def probe_blocks(algorithm: Algorithm, data: DataBundle, preprocess: Preprocess) -> dict[str, Any]:
    """Linear probes of a trained algorithm, fitted on the training part; they read the test part once more."""
    from ffzoo.bench import Part, linear_probes

    train, test = (Part(part, preprocess, 500) for part in (data.train, data.test))
    return {"probes": linear_probes(algorithm, train, test)}


def grid(config: Comparison) -> Grid:
    """Two local rules, backprop with and without deep supervision, and blocks that learn nothing."""
    return image_grid(config, ARMS, probe_blocks)


def e12(config: Comparison, study: Study) -> Report:
    """Accuracies block by block."""
    return compare(
        *(config, study, grid(config), WORDS, PAIRS, _claims()),
        more=lambda grid, found: ((_table(grid, found),), (_figure(grid, found),)),
    )


def _claims() -> tuple[Claim, ...]:
    def gain(cell: dict[str, Any]) -> float:
        return float(cell["further"]["probes"][-1] - cell["further"]["probes"][0])

    what = "what a linear probe gains from the first block to the last"
    return (Claim("dtg_ff", "bp_deepsup", -1, "mean", made=False, value=gain, quantity=what),)


def _own(cell: dict[str, Any]) -> list[float | None]:
    return list(cell["per_block_accuracy"] or [])


def _probes(cell: dict[str, Any]) -> list[float | None]:
    return list(cell["further"]["probes"])


def _mean(cells: list[dict[str, Any]], read: Callable[[dict[str, Any]], list[float | None]]) -> list[float | None]:
    """Percent, block by block."""
    blocks = zip(*map(read, cells), strict=True)
    return [None if None in block else 100 * statistics.fmean(v for v in block if v is not None) for block in blocks]


def _table(grid: Grid, found: Found) -> Table:
    rows = []
    for condition in grid.conditions:
        for arm in grid.arms:
            cells = list(found.runs[condition.name][arm.name].values())
            for kind, read in (("own scores", _own), ("linear probe", _probes)):
                values = ["-" if v is None else f"{v:.1f}" for v in _mean(cells, read)] if cells else []
                if any(value != "-" for value in values):
                    rows.append((condition.name, arm.name, kind, " ".join(values)))
    return Table("Block by block, test %", ("condition", "arm", "read by", "first block to last"), tuple(rows))


def _figure(grid: Grid, found: Found) -> Figure:
    def draw(canvas: matplotlib.figure.FigureBase) -> None:
        panels = canvas.subplots(1, len(grid.conditions), squeeze=False)[0]
        for ax, condition in zip(panels, grid.conditions, strict=True):
            for number, arm in enumerate(grid.arms):
                cells = list(found.runs[condition.name][arm.name].values())
                values = _mean(cells, _probes) if cells else []
                style: dict[str, Any] = {
                    "color": COLORS[number % 5],
                    "marker": MARKERS[number % 5],
                    "linestyle": LINES[number % 5],
                }
                ax.plot(range(1, len(values) + 1), values, label=arm.name, **style)
            ax.set_title(condition.name)
            ax.set_xlabel("block")
            ax.xaxis.get_major_locator().set_params(integer=True)
        panels[0].set_ylabel("test accuracy of a linear probe, %")
        panels[0].legend()

    caption = f"Linear probes of each block's features, mean of {len(grid.seeds)} seeds."
    return Figure("probes", caption, draw, (4.6 * len(grid.conditions) + 1.5, 4.2))
