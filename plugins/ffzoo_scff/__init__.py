"""Self-contrastive Forward-Forward: a sample with itself against a sample with another."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.registry.hookspecs import Register

PAPER = "Chen et al. 2024, arXiv:2409.11593"


@hookimpl
def register_goodness(register: Register) -> None:
    """Energies, position by position."""
    register(
        "energy_map",
        "ffzoo_scff.goodness:EnergyMap",
        summary="mean of h^2 over the channels at each position",
        paper=PAPER,
    )


@hookimpl
def register_local_losses(register: Register) -> None:
    """Two thresholds and a bound on the positives' goodness."""
    register(
        "two_thresholds",
        "ffzoo_scff.losses:TwoThresholds",
        config="ffzoo_scff.options:TwoThresholds",
        summary="softplus(a (theta+ - G+)) + softplus(b (G- - theta-)), mean over positions, plus the norm of G+",
        paper=PAPER,
    )


@hookimpl
def register_negatives(register: Register) -> None:
    """A sample with itself, and with another one."""
    register(
        "self_concatenation",
        "ffzoo_scff.views:SelfConcatenation",
        summary="positive: x beside x, negative: x beside another sample, through shared weights",
        paper=PAPER,
    )


@hookimpl
def register_algorithms(register: Register) -> None:
    """The unsupervised rule."""
    register(
        "scff",
        "ffzoo_scff.recipes:SCFF",
        summary="self-contrast: a sample with itself against a sample with another, read by a probe",
        paper=PAPER,
        card="ffzoo_scff.card:SCFF",
    )
