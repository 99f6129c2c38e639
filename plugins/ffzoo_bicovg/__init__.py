"""Covariance-aware goodness: second-order statistics over channels and over positions."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.registry.hookspecs import Register

PAPER = "Jiang, Al-Hashimi and Xu 2026, arXiv:2605.04346"


@hookimpl
def register_goodness(register: Register) -> None:
    """The bi-axis covariance goodness."""
    register(
        "bicovg",
        "ffzoo_bicovg.goodness:BiCovG",
        config="ffzoo_bicovg.options:BiCovG",
        summary="energies, energies of channel mixtures and of nested window means, times a class matrix",
        paper=PAPER,
    )


@hookimpl
def register_algorithms(register: Register) -> None:
    """Cross-entropy of that goodness at every block."""
    register(
        "bicovg",
        "ffzoo_bicovg.recipes:BICOVG",
        summary="covariance-aware goodness over channels and positions; learned weights of the blocks",
        paper=PAPER,
        card="ffzoo_bicovg.card:BICOVG",
    )
