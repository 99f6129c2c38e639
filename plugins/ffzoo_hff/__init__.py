"""HFF: cosines to learned class prototypes."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.registry.hookspecs import Register

PAPER = "Sarode et al. 2026, arXiv:2605.00082"


@hookimpl
def register_algorithms(register: Register) -> None:
    """One rule."""
    register(
        "hff",
        "ffzoo_hff.recipes:HFF",
        summary="cosine of a block's features to several learned prototypes a class",
        paper=PAPER,
        card="ffzoo_hff.card:HFF",
    )
