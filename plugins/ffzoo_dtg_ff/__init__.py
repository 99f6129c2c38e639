"""DTG-FF: dynamic temperature goodness, decoupled normalization, multi-layer fusion."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.registry.hookspecs import Register

PAPER = "Chen 2026, arXiv:2606.06539"


@hookimpl
def register_algorithms(register: Register) -> None:
    """DTG-FF in two readings of how the goodness is pooled."""
    register(
        "dtg_ff",
        "ffzoo_dtg_ff.recipes:DTG_FF",
        summary="dynamic temperature goodness, read as energies on a 4x4 grid of patches",
        paper=PAPER,
        card="ffzoo_dtg_ff.card:DTG_FF",
    )
    register(
        "dtg_ff_gap",
        "ffzoo_dtg_ff.recipes:DTG_FF_GAP",
        summary="dynamic temperature goodness, read as global average pooling",
        paper=PAPER,
        card="ffzoo_dtg_ff.card:DTG_FF_GAP",
    )
