"""ASGE: energies of patches through a frozen random matrix."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.registry.hookspecs import Register

PAPER = "Gong, Staszewski and Xu 2025, arXiv:2509.12394"


@hookimpl
def register_algorithms(register: Register) -> None:
    """One rule."""
    register(
        "asge",
        "ffzoo_asge.recipes:ASGE",
        summary="summed energies on a pyramid of patches through a frozen random matrix and bias",
        paper=PAPER,
        card="ffzoo_asge.card:ASGE",
    )
