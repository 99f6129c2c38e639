"""Contrastive Forward-Forward: two augmented views, supervised contrast with a margin in every block."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.registry.hookspecs import Register

PAPER = "Aghagolzadeh and Ezoji 2025, arXiv:2502.00571"


@hookimpl
def register_negatives(register: Register) -> None:
    """The second view."""
    register(
        "second_view",
        "ffzoo_contrastive_ff.views:SecondView",
        config="ffzoo_contrastive_ff.options:SecondView",
        summary="another positive view: images shifted, perhaps mirrored, with noise; vectors with noise",
        paper=PAPER,
    )


@hookimpl
def register_local_losses(register: Register) -> None:
    """Contrast with a margin."""
    register(
        "margin_supcon",
        "ffzoo_contrastive_ff.losses:MarginSupCon",
        config="ffzoo_contrastive_ff.options:MarginSupCon",
        summary="supervised contrast of two views, with a margin that shrinks with depth",
        paper=PAPER,
    )


@hookimpl
def register_algorithms(register: Register) -> None:
    """Contrast in every block, a probe on top."""
    register(
        "contrastive_ff",
        "ffzoo_contrastive_ff.recipes:CONTRASTIVE_FF",
        summary="supervised contrast of two views in every block, read by a probe",
        paper=PAPER,
        card="ffzoo_contrastive_ff.card:CONTRASTIVE_FF",
    )
