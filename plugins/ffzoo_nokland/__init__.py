"""Nøkland and Eidnes's local error signals: classifiers on pooled features, and similarity matching."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.registry.hookspecs import Register

PAPER = "Nøkland and Eidnes 2019, arXiv:1901.06656"


@hookimpl
def register_goodness(register: Register) -> None:
    """What similarity matching reads."""
    register(
        "similarity_conv",
        "ffzoo_nokland.similarity:SimilarityConv",
        config="ffzoo_nokland.options:Similarity",
        summary="deviation over the map of a learned convolution of pooled features",
        paper=PAPER,
    )


@hookimpl
def register_local_losses(register: Register) -> None:
    """Similarity matching."""
    register(
        "similarity_matching",
        "ffzoo_nokland.similarity:SimilarityMatching",
        summary="mean squared difference of the samples' similarities and their labels'",
        paper=PAPER,
    )


@hookimpl
def register_algorithms(register: Register) -> None:
    """The local cross-entropy, alone and with similarity matching."""
    register(
        "nokland_pred",
        "ffzoo_nokland.recipes:NOKLAND_PRED",
        summary="a learned linear classifier on each block's pooled features",
        paper=PAPER,
        card="ffzoo_nokland.card:NOKLAND_PRED",
    )
    register(
        "nokland_predsim",
        "ffzoo_nokland.recipes:NOKLAND_PREDSIM",
        summary="a linear classifier, and similarities of samples matched with their labels'",
        paper=PAPER,
        card="ffzoo_nokland.card:NOKLAND_PREDSIM",
    )
