"""Layer collaboration: every block knows the goodness of all others."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.registry.hookspecs import Register

PAPER = "Lorberbom et al. 2023, arXiv:2305.12393"


@hookimpl
def register_local_losses(register: Register) -> None:
    """Hinton's loss of the network's goodness."""
    register(
        "collaborative",
        "ffzoo_layer_collaboration.losses:Collaborative",
        config="ffzoo_layer_collaboration.options:Collaborative",
        summary="the logistic loss of a block's goodness plus that of all other blocks",
        paper=PAPER,
    )


@hookimpl
def register_algorithms(register: Register) -> None:
    """Supervised Forward-Forward with that loss."""
    register(
        "layer_collaboration",
        "ffzoo_layer_collaboration.recipes:LAYER_COLLABORATION",
        summary="supervised FF whose blocks judge a sample by the goodness of the whole network",
        paper=PAPER,
        card="ffzoo_layer_collaboration.card:LAYER_COLLABORATION",
        defaults={"backbone": "mlp", "fit.lr": 2e-3},
    )
