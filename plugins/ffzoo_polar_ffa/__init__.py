"""Polar-FFA: half of a block's units speak for positive samples, half for negative ones."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.registry.hookspecs import Register

PAPER = "Terres-Escudero, Del Ser and Garcia-Bringas 2024, arXiv:2408.09210"


@hookimpl
def register_goodness(register: Register) -> None:
    """What the two halves say."""
    register(
        "polar",
        "ffzoo_polar_ffa.goodness:Polar",
        config="ffzoo_polar_ffa.options:Polar",
        summary="energy of one half of the units against that of the other",
        paper=PAPER,
    )


@hookimpl
def register_algorithms(register: Register) -> None:
    """The rule."""
    register(
        "polar_ffa",
        "ffzoo_polar_ffa.recipes:POLAR_FFA",
        summary="supervised FF with a group of units for positive samples and one for negative ones",
        paper=PAPER,
        card="ffzoo_polar_ffa.card:POLAR_FFA",
        defaults={"backbone": "mlp", "fit.lr": 2e-3},
    )
