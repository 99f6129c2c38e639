"""What ``e13`` shows: 64 cells a data set with the published rules at theirs, the effects, the verdicts."""

from __future__ import annotations

import itertools
import math

import matplotlib.figure

from ffzoo.bench import Comparison, Gap, written
from ffzoo.plugin import Figure, Table
from ffzoo_experiments.claims.e13_design import CONTRASTS, Levels, name_of

Cells = dict[tuple[int, ...], float]

_ROWS = list(itertools.product((-1, 1), repeat=3))  # power, grid, L2
_COLUMNS = [(t, *p) for p in ((-1, -1), (1, -1), (-1, 1), (1, 1)) for t in (-1, 1)]  # temperature, projection
_HEADS = [f"{p}\nT {t}" for p in ("groups", "random", "waves", "learned") for t in ("1.05", "learned")]


def picture(
    expected: dict[str, Cells], measured: dict[str, Cells], published: dict[tuple[int, ...], list[str]]
) -> Figure:
    """A panel a data set.

    Args:
        expected: data set -> accuracy of every cell by the model of main effects and interactions, percent.
        measured: the same, of the cells that were run; one without either stays empty.
        published: names of the rules that lie in a cell.
    """

    def draw(canvas: matplotlib.figure.FigureBase) -> None:
        panels = canvas.subplots(len(expected), 1, squeeze=False)[:, 0]
        for ax, (name, model) in zip(panels, expected.items(), strict=True):
            seen = measured[name]
            table = [[_value((*row, *column), seen, model) for column in _COLUMNS] for row in _ROWS]
            image = ax.imshow(table, cmap="cividis", aspect="auto")
            middle = (image.norm.vmin + image.norm.vmax) / 2
            for y, row in enumerate(_ROWS):
                for x, column in enumerate(_COLUMNS):
                    cell, value = (*row, *column), table[y][x]
                    ink = "white" if value < middle else "black"
                    text = "" if math.isnan(value) else f"{value:.1f}" if cell in seen else f"({value:.1f})"
                    ax.text(x, y - 0.22, text, ha="center", va="center", color=ink, fontsize=9)
                    rules = published.get(cell, [])
                    lines = [", ".join(rules[i : i + 2]) for i in range(0, len(rules), 2)]
                    ax.text(
                        x, y + 0.18, "\n".join(lines), ha="center", va="center", color=ink, fontsize=6, linespacing=1
                    )
            ax.set_xticks(range(8), _HEADS, fontsize=8)
            rows = [f"h{'²' if p > 0 else ''}, grid {4 if g > 0 else 1}{', L2' if l > 0 else ''}" for p, g, l in _ROWS]
            ax.set_yticks(range(8), rows, fontsize=8)
            ax.set_title(f"{name}, test %")
            ax.grid(False)

    caption = (
        "Every cell of the table; in brackets what main effects and two-way interactions make of a cell that was "
        "not run. Published rules stand where their options are nearest; a cell without a name is that of no rule "
        "registered here."
    )
    return Figure("table", caption, draw, (11.0, 5.2 * len(expected)))


def _value(cell: tuple[int, ...], seen: Cells, model: Cells) -> float:
    return seen.get(cell, model.get(cell, math.nan))


def effect_table(effects: dict[str, dict[str, Gap]]) -> Table:
    """Every effect on every data set."""
    names = [name for name in CONTRASTS if any(name in of for of in effects.values())]
    rows = tuple((name, *(written(of.get(name)) for of in effects.values())) for name in names)
    return Table("Effects, points", ("effect", *effects), rows)


def whole_table(whole: dict[str, float]) -> Table:
    """The runs on all of CIFAR-10."""
    return Table("One seed under the recipe of E1", ("run", "test %"), tuple((k, f"{v:.2f}") for k, v in whole.items()))


def verdicts(config: Comparison, effects: dict[str, dict[str, Gap]], best: Levels | None) -> tuple[str, ...]:
    """The main effects that are clear of 0, and the best cell of no registered rule."""
    word = "inconclusive" if config.scale == "smoke" else "descriptive"
    lines = []
    for name, of in effects.items():
        main = {key: gap for key, gap in of.items() if ":" in key and gap.sign}
        worth = "; ".join(f"{key} {written(gap)}" for key, gap in sorted(main.items(), key=lambda i: -abs(i[1].mean)))
        nothing = "no main effect is clear of 0" if of else "no effect is estimated, for cells or seeds are missing"
        lines.append(f"{word}: {name}: {worth or nothing}")
    if best is not None:
        lines.append(f"{word}: of the cells without a rule, the best on the validation parts is {name_of(best)}")
    return tuple(lines)
