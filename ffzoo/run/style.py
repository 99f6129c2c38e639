"""How every figure of the library looks: of runs, of experiments, of comparisons. No matplotlib in here."""

from __future__ import annotations

from typing import Any

COLORS = ("#1864ab", "#e8590c", "#2b8a3e", "#862e9c", "#495057")

STYLE: Any = {
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.labelcolor": "#343a40",
    "axes.edgecolor": "#adb5bd",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e9ecef",
    "grid.linewidth": 0.8,
    "xtick.color": "#868e96",
    "ytick.color": "#868e96",
    "xtick.labelcolor": "#343a40",
    "ytick.labelcolor": "#343a40",
    "figure.constrained_layout.w_pad": 0.1,
    "figure.constrained_layout.h_pad": 0.1,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "svg.hashsalt": "ffzoo",  # the same figure is the same file
}
