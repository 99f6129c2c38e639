"""InfoPro: a block keeps what the input holds and makes the classes plain, in a balance that shifts with depth."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.registry.hookspecs import Register

PAPER = "Wang et al. 2021, arXiv:2101.10832"


@hookimpl
def register_goodness(register: Register) -> None:
    """The input as a block's features tell it."""
    register(
        "decoder",
        "ffzoo_infopro.decoder:Decoder",
        config="ffzoo_infopro.options:Decoder",
        summary="a small learned network from a block's features back to the input",
        paper=PAPER,
    )


@hookimpl
def register_local_losses(register: Register) -> None:
    """The two sides of the balance."""
    register(
        "reconstruction",
        "ffzoo_infopro.losses:Reconstruction",
        config="ffzoo_infopro.options:Reconstruction",
        summary="mean squared error against the input, weighted by depth",
        paper=PAPER,
    )
    register(
        "depth_cross_entropy",
        "ffzoo_infopro.losses:DepthCrossEntropy",
        config="ffzoo_infopro.options:DepthCrossEntropy",
        summary="-log softmax(z)_y, weighted by depth",
        paper=PAPER,
    )


@hookimpl
def register_algorithms(register: Register) -> None:
    """Reconstruction and cross-entropy."""
    register(
        "infopro",
        "ffzoo_infopro.recipes:INFOPRO",
        summary="early blocks rebuild the input, late ones tell the classes apart",
        paper=PAPER,
        card="ffzoo_infopro.card:INFOPRO",
    )
