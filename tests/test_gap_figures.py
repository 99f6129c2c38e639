"""Figures of paired gaps: every pair can be told apart, and lies where its numbers say."""

from __future__ import annotations

import matplotlib.axes
import matplotlib.figure
import pytest

from ffzoo.bench.gap_tables import gap_figures, gap_of
from ffzoo.bench.grid import Arm, Condition, Found, Grid


def _found(gaps: dict[str, dict[str, float]]) -> Found:
    """Cells of two seeds; gaps to dtg_ff differ by two points between them."""

    def seeds(arm: str, accuracy: float) -> dict[int, dict[str, float]]:
        return {seed: {"test_accuracy": accuracy + 0.02 * seed * (arm == "dtg_ff")} for seed in (0, 1)}

    runs = {condition: {arm: seeds(arm, a) for arm, a in of.items()} for condition, of in gaps.items()}
    return Found(runs, {}, ())


def _drawn(grid: Grid, found: Found, pairs: list[tuple[str, str]]) -> list[matplotlib.axes.Axes]:
    (figure,) = gap_figures(grid, found, pairs, "classes K")
    canvas = matplotlib.figure.Figure(figsize=figure.size, layout="constrained")
    figure.draw(canvas)
    return canvas.axes


def test_conditions_without_an_x_are_panels_with_a_row_a_pair():
    arms = tuple(Arm(name, name) for name in ("dtg_ff", "bp", "dfa"))
    conditions = (Condition("digits", "digits", {}), Condition("mnist", "mnist", {}))
    found = _found({"digits": {"dtg_ff": 0.5, "bp": 0.6, "dfa": 0.4}, "mnist": {"dtg_ff": 0.7, "bp": 0.7, "dfa": 0.9}})
    axes = _drawn(Grid(arms, conditions, (0, 1), (1.0,)), found, [("dtg_ff", "bp"), ("dtg_ff", "dfa")])
    assert [ax.get_title() for ax in axes] == ["digits", "mnist"]
    assert [label.get_text() for label in axes[0].get_yticklabels()] == ["against bp", "against dfa"]
    drawn = [[bar.lines[0].get_xydata()[0].round(9).tolist() for bar in ax.containers] for ax in axes]
    assert drawn == [[[-9, 0], [11, 1]], [[1, 0], [-19, 1]]]
    (interval,) = axes[0].containers[0].lines[2]
    gap = gap_of(found, "digits", "dtg_ff", "bp")
    assert interval.get_segments()[0][:, 0] == pytest.approx([gap.low, gap.high])


def test_gaps_along_an_axis_stand_beside_each_other():
    arms = tuple(Arm(name, name) for name in ("dtg_ff", "bp", "dfa"))
    conditions = tuple(Condition(f"K = {k}", "digits", {}, k) for k in (2, 10))
    found = _found({c.name: {"dtg_ff": 0.5, "bp": 0.6, "dfa": 0.4} for c in conditions})
    (ax,) = _drawn(Grid(arms, conditions, (0, 1), (1.0,)), found, [("dtg_ff", "bp"), ("dtg_ff", "dfa")])
    (first, second) = (bar.lines[0].get_xdata() for bar in ax.containers)
    assert all(a < k < b and b / a < 1.1 for a, k, b in zip(first, (2, 10), second, strict=True))
    assert [label.get_text() for label in ax.figure.legends[0].get_texts()] == ["dtg_ff - bp", "dtg_ff - dfa"]
