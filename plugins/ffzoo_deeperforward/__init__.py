"""DeeperForward: the mean of a class's channels is its goodness."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.registry.hookspecs import Register

PAPER = "Sun et al. 2025, ICLR 2025"


@hookimpl
def register_algorithms(register: Register) -> None:
    """One rule."""
    register(
        "deeperforward",
        "ffzoo_deeperforward.recipes:DEEPERFORWARD",
        summary="mean activity of a channel group a class, group norm between blocks",
        paper=PAPER,
        card="ffzoo_deeperforward.card:DEEPERFORWARD",
    )
