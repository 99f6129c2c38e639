"""Hinton's Forward-Forward, supervised and unsupervised."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.hookspecs import Register

PAPER = "Hinton 2022, arXiv:2212.13345"
DEFAULTS = {"backbone": "mlp", "fit.lr": 2e-3}


@hookimpl
def register_algorithms(register: Register) -> None:
    """The two original rules."""
    register(
        "vanilla_ff",
        "ffzoo_vanilla_ff.recipes:VANILLA_FF",
        summary="Hinton's supervised FF: labels over the input, wrong labels as negatives",
        paper=PAPER,
        defaults=DEFAULTS,
    )
    register(
        "vanilla_ff_unsup",
        "ffzoo_vanilla_ff.recipes:VANILLA_FF_UNSUP",
        summary="Hinton's unsupervised FF: hybrid images as negatives, linear readout",
        paper=PAPER,
        defaults=DEFAULTS,
    )
