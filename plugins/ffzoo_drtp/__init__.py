"""Direct random target projection: the label itself, through fixed random matrices, teaches every block."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.registry.hookspecs import Register


@hookimpl
def register_algorithms(register: Register) -> None:
    """The rule."""
    register(
        "drtp",
        "ffzoo_drtp.rule:DRTP",
        config="ffzoo_drtp.options:DRTP",
        summary="the label, through fixed random matrices, is every block's gradient",
        paper="Frenkel, Lefebvre and Bol 2019, arXiv:1909.01311",
        card="ffzoo_drtp.card:DRTP",
    )
