"""Hinton's Forward-Forward, supervised and unsupervised."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.registry.hookspecs import Register

PAPER = "Hinton 2022, arXiv:2212.13345"
DEFAULTS = {"backbone": "mlp", "fit.lr": 2e-3}


@hookimpl
def register_goodness(register: Register) -> None:
    """What peer normalization reads."""
    register("activity", "ffzoo_vanilla_ff.peer_norm:Activity", summary="mean of h over a channel's map", paper=PAPER)


@hookimpl
def register_local_losses(register: Register) -> None:
    """Peer normalization, a term beside another loss."""
    register(
        "peer_norm",
        "ffzoo_vanilla_ff.peer_norm:PeerNorm",
        summary="units are to be equally active on average",
        paper=PAPER,
    )


@hookimpl
def register_algorithms(register: Register) -> None:
    """The two original rules, and the paper's additions to the first."""
    register(
        "vanilla_ff",
        "ffzoo_vanilla_ff.recipes:VANILLA_FF",
        summary="Hinton's supervised FF: labels over the input, wrong labels as negatives",
        paper=PAPER,
        card="ffzoo_vanilla_ff.card:VANILLA_FF",
        defaults=DEFAULTS,
    )
    register(
        "vanilla_ff_hard",
        "ffzoo_vanilla_ff.recipes:VANILLA_FF_HARD",
        summary="supervised FF with negatives drawn from a readout, which also predicts in one pass",
        paper=PAPER,
        card="ffzoo_vanilla_ff.card:VANILLA_FF_HARD",
        defaults=DEFAULTS,
    )
    register(
        "vanilla_ff_peer",
        "ffzoo_vanilla_ff.recipes:VANILLA_FF_PEER",
        summary="supervised FF with peer normalization",
        paper=PAPER,
        card="ffzoo_vanilla_ff.card:VANILLA_FF_PEER",
        defaults=DEFAULTS,
    )
    register(
        "vanilla_ff_unsup",
        "ffzoo_vanilla_ff.recipes:VANILLA_FF_UNSUP",
        summary="Hinton's unsupervised FF: hybrid images as negatives, linear readout",
        paper=PAPER,
        card="ffzoo_vanilla_ff.card:VANILLA_FF_UNSUP",
        defaults=DEFAULTS,
    )
