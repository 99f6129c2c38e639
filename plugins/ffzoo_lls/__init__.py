"""LLS: features synchronize with fixed waves, one frequency a class."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.registry.hookspecs import Register

PAPER = "Apolinario, Roy and Roy 2025, arXiv:2405.15868"


@hookimpl
def register_algorithms(register: Register) -> None:
    """LLS, its two variants with few learned numbers, and its control with a random matrix."""
    register(
        "lls",
        "ffzoo_lls.recipes:LLS",
        summary="pooled features against fixed square waves, one frequency a class",
        paper=PAPER,
        card="ffzoo_lls.card:LLS",
    )
    register(
        "lls_m",
        "ffzoo_lls.recipes:LLS_M",
        summary="LLS with a learned factor a class",
        paper=PAPER,
        card="ffzoo_lls.card:LLS_M",
    )
    register(
        "lls_mxm",
        "ffzoo_lls.recipes:LLS_MXM",
        summary="LLS with a learned matrix of classes by classes",
        paper=PAPER,
        card="ffzoo_lls.card:LLS_MXM",
    )
    register(
        "lls_random",
        "ffzoo_lls.recipes:LLS_RANDOM",
        summary="pooled features against a frozen random matrix",
        paper=PAPER,
        card="ffzoo_lls.card:LLS_RANDOM",
    )
