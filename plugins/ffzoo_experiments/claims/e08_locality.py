"""E8: what a fusion loss that reaches the blocks gains, and what it costs: memory, and the locality of the rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib.figure

from ffzoo.bench import Claim, Comparison, Found, Words, compare
from ffzoo.plugin import Arm, Figure, Grid, Report, Study, Table
from ffzoo_experiments.claims.setting import image_grid

if TYPE_CHECKING:
    from ffzoo import Algorithm
    from ffzoo.bench import DataBundle, Preprocess

ARMS = (
    Arm("detached", "dtg_ff", {"fusion": "concat_linear"}),
    Arm("one_hop", "dtg_ff", {"fusion": "concat_linear", "fusion_grad": "one_hop"}),
    Arm("bp_deepsup", "bp_deepsup", {"fusion": "concat_linear"}),
)
PAIRS = (("one_hop", "detached"), ("bp_deepsup", "detached"))
WORDS = Words(
    question="Does a fusion loss whose gradient reaches the blocks help, and is the rule still layer-local?",
    claim="DTG-FF fuses several layers (abstract of arXiv:2606.06539); how its fusion loss is wired is not in it.",
    limits="A small CNN, subsets of two data sets and a short training.",
    axis="data set",
)


def gradient_matrix(algorithm: Algorithm, data: DataBundle, preprocess: Preprocess) -> dict[str, Any]:
    """Norms of the gradient of every loss on every block, of a trained algorithm."""
    from ffzoo.bench import Part, structural

    found = structural(algorithm, next(iter(Part(data.train, preprocess, 8))))
    assert found is not None
    return {"matrix": found.matrix}


def grid(config: Comparison) -> Grid:
    """The same fusion with and without a gradient to the blocks, and with gradients everywhere."""
    return image_grid(config, ARMS, gradient_matrix)


def e8(config: Comparison, study: Study) -> Report:
    """Accuracy, saved activations, and the matrix of gradients across blocks."""
    claims = (Claim("one_hop", "detached", 1, "mean", made=False),)
    return compare(
        *(config, study, grid(config), WORDS, PAIRS, claims),
        more=lambda grid, found: ((_table(grid, found),), (_matrices(grid, found),)),
    )


def _first(grid: Grid, found: Found, arm: Arm) -> dict[str, Any] | None:
    return next(iter(found.runs[grid.conditions[0].name][arm.name].values()), None)


def _table(grid: Grid, found: Found) -> Table:
    rows = []
    for arm in grid.arms:
        cell = _first(grid, found, arm)
        if cell is None:
            continue
        matrix = cell["further"]["matrix"]
        blocks = range(cell["blocks"])
        across = max((matrix[loss][b] for loss in range(len(matrix)) for b in blocks if loss != b), default=0.0)
        kept = f"{cell['saved_activation_bytes'] / 2**20:.2f}"
        rows.append((arm.name, "PASS" if cell["strictly_local"] else "FAIL", f"{across:.1e}", kept))
    columns = ("arm", "strictly local", "largest gradient across blocks", "saved activations of a step, MiB")
    return Table(f"Locality on {grid.conditions[0].name}", columns, tuple(rows))


def _matrices(grid: Grid, found: Found) -> Figure:
    known = {arm.name: cell for arm in grid.arms if (cell := _first(grid, found, arm)) is not None}

    def draw(canvas: matplotlib.figure.FigureBase) -> None:
        panels = canvas.subplots(1, max(1, len(known)), squeeze=False)[0]
        for ax, (name, cell) in zip(panels, known.items(), strict=False):
            blocks = cell["blocks"]
            matrix = [row[:blocks] for row in cell["further"]["matrix"]]
            ax.imshow([[float(value > 0) for value in row] for row in matrix], cmap="Blues", vmin=0, vmax=1.6)
            for row, values in enumerate(matrix):
                for column, value in enumerate(values):
                    ax.text(column, row, f"{value:.1g}", ha="center", va="center", fontsize=9)
            ax.set_title(name)
            ax.set_xticks(range(blocks), [str(b + 1) for b in range(blocks)])
            heads = len(matrix) - blocks
            ax.set_yticks(range(len(matrix)), [*(str(b + 1) for b in range(blocks)), *["fusion"] * heads])
            ax.set_xlabel("block")
            ax.grid(False)
        panels[0].set_ylabel("loss of block")

    caption = (
        "Norm of the gradient of each loss (rows) on each block (columns), after training. Off the diagonal: "
        "0 in a local rule."
    )
    return Figure("gradients", caption, draw, (4.2 * max(1, len(known)) + 0.5, 4.6))
