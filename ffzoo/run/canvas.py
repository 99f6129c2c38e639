"""Figures in the library's style, that a notebook shows and that can be saved. No torch in here."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib import rc_context
from matplotlib.figure import Figure, FigureBase

from ffzoo.run.style import STYLE

DPI = 160


class Drawing(Figure):
    """A matplotlib figure that a notebook shows by itself: ``savefig`` writes it, ``axes`` holds what was drawn on."""

    def _repr_png_(self) -> bytes:
        """Return the picture."""
        data = io.BytesIO()
        self.savefig(data, format="png", dpi=DPI)
        return data.getvalue()


@dataclass(frozen=True)
class Panel:
    """A part of a figure, drawn when the figure is.

    Attributes:
        draw: draws on the part of a figure that it is given.
        size: width and height in inches.
        title: above it.
    """

    draw: Callable[[FigureBase], None]
    size: tuple[float, float]
    title: str = ""

    def drawn(self) -> Drawing:
        """Return it as a figure of its own."""
        with rc_context(STYLE):
            canvas = Drawing(figsize=self.size, layout="constrained", dpi=DPI)
            self.draw(canvas)
            if self.title:
                canvas.suptitle(self.title, fontsize=12, fontweight="bold")
        return canvas


def stacked(rows: Sequence[Sequence[Panel]], title: str = "") -> Panel:
    """Return panels in rows as one; a row's panels share its width as theirs are.

    Args:
        rows: of panels, each with at least one.
        title: above all of them.
    """
    heights = [max(panel.size[1] for panel in row) + 0.35 for row in rows]

    def draw(canvas: FigureBase) -> None:
        bands = canvas.subfigures(len(rows), 1, height_ratios=heights, squeeze=False)[:, 0]
        for band, row in zip(bands, rows, strict=True):
            parts = band.subfigures(1, len(row), width_ratios=[panel.size[0] for panel in row], squeeze=False)[0]
            for part, panel in zip(parts, row, strict=True):
                panel.draw(part)
                part.suptitle(panel.title, fontsize=11, fontweight="bold")

    width = max(sum(panel.size[0] for panel in row) for row in rows)
    return Panel(draw, (width, sum(heights) + 0.5), title)
