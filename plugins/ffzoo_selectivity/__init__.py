"""Goodness that looks at peaks or at the shape of a block's activity, not at its energy."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.registry.hookspecs import Register

PAPER = "Akkus et al. 2026, arXiv:2604.13081"


@hookimpl
def register_goodness(register: Register) -> None:
    """Two that are selective and one that reads the shape."""
    register(
        "top_k",
        "ffzoo_selectivity.goodness:TopK",
        config="ffzoo_selectivity.options:TopK",
        summary="mean of the largest h^2",
        paper=PAPER,
    )
    register(
        "entmax_energy",
        "ffzoo_selectivity.goodness:EntmaxEnergy",
        summary="mean of h^2 with the weights 1.5-entmax(h^2)",
        paper=PAPER,
    )
    register("kurtosis", "ffzoo_selectivity.goodness:Kurtosis", summary="excess kurtosis of h", paper=PAPER)


@hookimpl
def register_algorithms(register: Register) -> None:
    """FF with such a goodness, and labels for every block."""
    register(
        "selectivity",
        "ffzoo_selectivity.recipes:SELECTIVITY",
        summary="supervised FF on the kurtosis of a block's activity, the label in every block",
        paper=PAPER,
        card="ffzoo_selectivity.card:SELECTIVITY",
        defaults={"backbone": "mlp", "fit.lr": 2e-3},
    )
