"""Stochastic Forward-Forward: few dimensions for noisy copies of a sample, many for all samples; no negatives."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.registry.hookspecs import Register

PAPER = "Zhu et al. 2025, arXiv:2505.16649"


@hookimpl
def register_goodness(register: Register) -> None:
    """What the dimensions are counted of."""
    register("responses", "ffzoo_stochastic_ff.rule:Responses", summary="the features themselves, flat", paper=PAPER)


@hookimpl
def register_negatives(register: Register) -> None:
    """The noise."""
    register(
        "noisy_copy",
        "ffzoo_stochastic_ff.rule:NoisyCopy",
        config="ffzoo_stochastic_ff.options:NoisyCopy",
        summary="another positive view: the sample with some of its inputs dropped",
        paper=PAPER,
    )


@hookimpl
def register_local_losses(register: Register) -> None:
    """Fewer dimensions within, more between."""
    register(
        "dimensionality",
        "ffzoo_stochastic_ff.rule:Dimensionality",
        config="ffzoo_stochastic_ff.options:Dimensionality",
        summary="effective dimensionality within the copies of a sample, less that of the batch",
        paper=PAPER,
    )


@hookimpl
def register_algorithms(register: Register) -> None:
    """Both dimensionalities in every block, a probe on top."""
    register(
        "stochastic_ff",
        "ffzoo_stochastic_ff.recipes:STOCHASTIC_FF",
        summary="few dimensions for noisy copies, many for all samples, read by a probe",
        paper=PAPER,
        card="ffzoo_stochastic_ff.card:STOCHASTIC_FF",
    )
