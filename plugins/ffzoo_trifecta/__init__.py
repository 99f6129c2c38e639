"""The Trifecta: symmetric loss, batch normalization, and local updates that overlap."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.registry.hookspecs import Register


@hookimpl
def register_algorithms(register: Register) -> None:
    """The rule."""
    register(
        "trifecta",
        "ffzoo_trifecta.recipes:TRIFECTA",
        summary="SymBa's loss, batch norm between blocks, and updates of overlapping pairs of blocks",
        paper="Dooms, Tsang and Oramas 2023, arXiv:2311.18130",
        card="ffzoo_trifecta.card:TRIFECTA",
    )
