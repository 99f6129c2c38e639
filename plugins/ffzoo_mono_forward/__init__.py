"""Mono-Forward: a learned matrix reads the classes off all of a block's activities."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.registry.hookspecs import Register

PAPER = "Gong et al. 2025, arXiv:2501.09238"


@hookimpl
def register_algorithms(register: Register) -> None:
    """One rule."""
    register(
        "mono_forward",
        "ffzoo_mono_forward.recipes:MONO_FORWARD",
        summary="a learned matrix reads the classes off all activities of a block",
        paper=PAPER,
        card="ffzoo_mono_forward.card:MONO_FORWARD",
    )
