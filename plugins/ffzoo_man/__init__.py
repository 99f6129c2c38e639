"""Momentum auxiliary networks: a block learns through a slow copy of the next one's weights."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.registry.hookspecs import Register

PAPER = "Su et al. 2024, arXiv:2407.05623"


@hookimpl
def register_goodness(register: Register) -> None:
    """A class goodness behind the next block's first layer."""
    register(
        "momentum_layer",
        "ffzoo_man.goodness:MomentumLayer",
        config="ffzoo_man.options:MomentumLayer",
        summary="a classifier on a moving average of the next block's first layer, and on a learned one beside it",
        paper=PAPER,
    )


@hookimpl
def register_algorithms(register: Register) -> None:
    """Cross-entropy of that goodness at every block."""
    register(
        "man",
        "ffzoo_man.recipes:MAN",
        summary="auxiliary networks that follow the weights of the next block",
        paper=PAPER,
        card="ffzoo_man.card:MAN",
    )
