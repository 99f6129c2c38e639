"""SymBa: a loss that treats positive and negative samples alike, and labels as patterns over the whole input."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.registry.hookspecs import Register


@hookimpl
def register_algorithms(register: Register) -> None:
    """The rule."""
    register(
        "symba",
        "ffzoo_symba.recipes:SYMBA",
        summary="no threshold: a sample is to score higher than its negative; labels as patterns",
        paper="Lee and Song 2023, arXiv:2303.08418",
        card="ffzoo_symba.card:SYMBA",
        defaults={"backbone": "mlp", "fit.lr": 2e-3},
    )
