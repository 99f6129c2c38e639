"""Cascaded forward: a linear predictor on every block, and blocks that need no backward pass."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.registry.hookspecs import Register

PAPER = "Zhao et al. 2023, arXiv:2303.09728"


@hookimpl
def register_algorithms(register: Register) -> None:
    """With random blocks, and with blocks that learn by direct feedback alignment."""
    register(
        "cafo",
        "ffzoo_cafo.recipes:CAFO",
        summary="a linear predictor on every block; blocks stay random",
        paper=PAPER,
        card="ffzoo_cafo.card:CAFO",
    )
    register(
        "cafo_dfa",
        "ffzoo_cafo.dfa:CaFoDFA",
        config="ffzoo.parts.options:OutputOptions",
        summary="a linear predictor on every block; blocks learn by direct feedback alignment",
        paper=PAPER,
        card="ffzoo_cafo.card:CAFO_DFA",
    )
