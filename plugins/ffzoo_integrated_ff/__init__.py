"""Integrated Forward-Forward: backprop inside a block of several layers, Forward-Forward between blocks."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.registry.hookspecs import Register


@hookimpl
def register_algorithms(register: Register) -> None:
    """The rule, with the blocks it needs."""
    register(
        "integrated_ff",
        "ffzoo_integrated_ff.recipes:INTEGRATED_FF",
        summary="supervised FF, one block of two layers after the other",
        paper="Tang 2023, arXiv:2305.12960",
        card="ffzoo_integrated_ff.card:INTEGRATED_FF",
        defaults={"backbone": "mlp", "backbone.layers": 2, "fit.lr": 2e-3},
    )
