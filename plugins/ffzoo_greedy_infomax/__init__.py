"""Greedy InfoMax: every block predicts what lies further down its own map."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.registry.hookspecs import Register

PAPER = "Löwe et al. 2019, arXiv:1905.11786"


@hookimpl
def register_goodness(register: Register) -> None:
    """How well a map foretells itself."""
    register(
        "infonce",
        "ffzoo_greedy_infomax.infonce:InfoNCE",
        config="ffzoo_greedy_infomax.options:InfoNCE",
        summary="log-probability of the right patch below, among others, one number a step down the map",
        paper=PAPER,
    )


@hookimpl
def register_local_losses(register: Register) -> None:
    """Raise the goodness."""
    register(
        "negative_mean",
        "ffzoo_greedy_infomax.infonce:NegativeMean",
        summary="minus the mean of a map",
        paper=PAPER,
    )


@hookimpl
def register_algorithms(register: Register) -> None:
    """The unsupervised rule."""
    register(
        "greedy_infomax",
        "ffzoo_greedy_infomax.recipes:GREEDY_INFOMAX",
        summary="every block predicts what lies further down its map (InfoNCE), read by a probe",
        paper=PAPER,
        card="ffzoo_greedy_infomax.card:GREEDY_INFOMAX",
        defaults={"backbone": "cnn"},
    )
