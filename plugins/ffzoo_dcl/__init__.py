"""Dictionary contrastive learning: features against one table of label embeddings for all blocks."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.registry.hookspecs import Register

PAPER = "Choi et al. 2024, ICLR 2024"


@hookimpl
def register_goodness(register: Register) -> None:
    """Features against a table that all blocks share."""
    register(
        "label_dictionary",
        "ffzoo_dcl.goodness:LabelDictionary",
        config="ffzoo_dcl.options:LabelDictionary",
        summary="pooled features against learned label embeddings that all blocks share",
        paper=PAPER,
    )


@hookimpl
def register_algorithms(register: Register) -> None:
    """With a table that stays, and with one that all blocks teach."""
    register(
        "dcl_s",
        "ffzoo_dcl.recipes:DCL_S",
        summary="pooled features against static label embeddings, one table for all blocks",
        paper=PAPER,
        card="ffzoo_dcl.card:DCL_S",
    )
    register(
        "dcl",
        "ffzoo_dcl.recipes:DCL",
        summary="the same with label embeddings that the losses of all blocks teach",
        paper=PAPER,
        card="ffzoo_dcl.card:DCL",
    )
