"""CwComp: channels compete for the class."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.registry.hookspecs import Register

PAPER = "Papachristodoulou et al. 2024, arXiv:2312.12668"
DEFAULTS = {"fit.lr": 0.01}


@hookimpl
def register_local_losses(register: Register) -> None:
    """The right class against the mean of the others."""
    register(
        "positive_against_negatives",
        "ffzoo_cwcomp.losses:PositiveAgainstNegatives",
        config="ffzoo_cwcomp.options:PositiveAgainstNegatives",
        summary="mean of softplus(theta - g_y) and softplus(mean of the other g - theta)",
        paper=PAPER,
    )


@hookimpl
def register_algorithms(register: Register) -> None:
    """Three losses on the same channel groups."""
    register(
        "cwcomp",
        "ffzoo_cwcomp.recipes:CWCOMP",
        summary="mean energy of a channel group a class, cross-entropy, blocks stop one after the other",
        paper=PAPER,
        card="ffzoo_cwcomp.card:CWCOMP",
        defaults=DEFAULTS,
    )
    register(
        "cwcomp_pvn",
        "ffzoo_cwcomp.recipes:CWCOMP_PVN",
        summary="the same energies, the right one against the mean of the others",
        paper=PAPER,
        card="ffzoo_cwcomp.card:CWCOMP_PVN",
        defaults=DEFAULTS,
    )
    register(
        "cwcomp_cwg",
        "ffzoo_cwcomp.recipes:CWCOMP_CWG",
        summary="both of these losses, weighted",
        paper=PAPER,
        card="ffzoo_cwcomp.card:CWCOMP_CWG",
        defaults=DEFAULTS,
    )
