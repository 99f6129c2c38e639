"""Plots of runs: curves, temperatures, goodness, gradients, filters and confusion, one call each.

For example::

    import ffzoo.plots

    ffzoo.plots.curves("runs/first").savefig("curves.png")

Each returns a matplotlib figure, which a notebook shows. ``ffzoo plot RUN`` draws all of them on one page.
"""

from __future__ import annotations

from ffzoo.run.plots import confusion, curves, filters, goodness, gradients, overview, temperatures

__all__ = ["confusion", "curves", "filters", "goodness", "gradients", "overview", "temperatures"]
