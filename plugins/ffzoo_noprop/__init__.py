"""NoProp: every block learns to denoise the label, and the prediction is a chain of denoisers."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.registry.hookspecs import Register


@hookimpl
def register_algorithms(register: Register) -> None:
    """The discrete-time form."""
    register(
        "noprop",
        "ffzoo_noprop.rule:NoProp",
        config="ffzoo_noprop.options:NoProp",
        summary="every block learns to denoise a noisy label; the prediction is the chain of denoisers",
        paper="Li, Teh and Pascanu 2025, arXiv:2503.24322",
        card="ffzoo_noprop.card:NOPROP",
    )
