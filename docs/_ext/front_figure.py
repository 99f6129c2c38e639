"""Draws the leaderboard's figure on the front from its cells: ``python docs/_ext/front_figure.py``.

It goes to ``docs/figures/front-leaderboard.png``.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib.figure
import own_results

from ffzoo.bench.report import Figure

FIGURES = Path(__file__).resolve().parent.parent / "figures"
DATASET = "fashion_mnist"
LOWEST = 55.0  # percent; what lies below is written at the edge


def ranked() -> list[own_results.Result]:
    """Return what every algorithm reached, best first."""
    return sorted(own_results.leaderboard()[DATASET].values(), key=lambda result: -result.mean)


def draw(canvas: matplotlib.figure.FigureBase) -> None:
    """Draw a column an algorithm: its runs, and whether it is strictly local."""
    ax, found = canvas.subplots(), ranked()
    by_name = {result.algo: result.mean for result in found}
    for algo, style, words in (("bp", "--", "backprop"), ("random_features", ":", "blocks that learned nothing")):
        ax.axhline(by_name[algo], color="#495057", linestyle=style, linewidth=1.2, label=words)
    kinds = ((True, "#1864ab", "strictly local, as measured"), (False, "#e8590c", "not strictly local"))
    for local, colour, words in kinds:
        shown = [(i, result) for i, result in enumerate(found) if result.strictly_local == local]
        dots = [(i, a) for i, result in shown for a in result.accuracies if a >= LOWEST]
        ax.plot(*zip(*dots, strict=True), "o", color=colour, markersize=4, alpha=0.55, markeredgewidth=0)
        means = [(i, result.mean) for i, result in shown if result.mean >= LOWEST]
        ax.plot(*zip(*means, strict=True), "_", color=colour, markersize=11, markeredgewidth=2.4, label=words)
        for i, result in shown:
            if result.mean < LOWEST:
                ax.text(i, LOWEST + 0.3, f"◂ {result.mean:.0f}", color=colour, fontsize=8, ha="center", rotation=90)
    ax.set_xticks(range(len(found)), [result.algo for result in found], rotation=90, fontsize=8.5)
    ax.set_xlim(-0.8, len(found) - 0.2)
    ax.set_ylim(LOWEST, None)
    ax.set_ylabel("test accuracy on Fashion-MNIST, %")
    ax.legend(loc="lower left", fontsize=9)


def main() -> None:
    """Write the figure, which is shown where an SVG would be in the reader's own fonts."""
    _, svg = Figure("leaderboard", "", draw, (11.0, 4.6)).write(FIGURES / "front")
    svg.unlink()


if __name__ == "__main__":
    main()
