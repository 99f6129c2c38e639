"""Decoupled greedy learning: a small auxiliary network scores the classes at every block."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.registry.hookspecs import Register

PAPER = "Belilovsky, Eickenberg and Oyallon 2020, arXiv:1901.08164"


@hookimpl
def register_goodness(register: Register) -> None:
    """A class goodness that is not linear in the features."""
    register(
        "aux_conv",
        "ffzoo_dgl.goodness:AuxConv",
        config="ffzoo_dgl.options:AuxConv",
        summary="a learned convolution and classifier on pooled features",
        paper=PAPER,
    )


@hookimpl
def register_algorithms(register: Register) -> None:
    """Cross-entropy of that goodness at every block."""
    register(
        "dgl",
        "ffzoo_dgl.recipes:DGL",
        summary="a small convolutional classifier at every block",
        paper=PAPER,
        card="ffzoo_dgl.card:DGL",
    )
