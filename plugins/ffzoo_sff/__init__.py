"""Scalable Forward-Forward: a 1x1 convolution to the classes, whose mean square is the goodness."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.registry.hookspecs import Register

PAPER = "Krutsylo 2025, arXiv:2501.03176"


@hookimpl
def register_goodness(register: Register) -> None:
    """The energy of a channel a class."""
    register(
        "class_energy",
        "ffzoo_sff.goodness:ClassEnergy",
        config="ffzoo_sff.options:ClassEnergy",
        summary="mean square of a learned convolution to one channel a class",
        paper=PAPER,
    )


@hookimpl
def register_algorithms(register: Register) -> None:
    """Blocks with such a convolution."""
    register(
        "sff",
        "ffzoo_sff.recipes:SFF",
        summary="an auxiliary convolution to the classes, its mean squares against each other",
        paper=PAPER,
        card="ffzoo_sff.card:SFF",
    )
