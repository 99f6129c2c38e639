"""F3: every sample's output error of the epoch before, through fixed random matrices, teaches every block."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.registry.hookspecs import Register


@hookimpl
def register_algorithms(register: Register) -> None:
    """The rule."""
    register(
        "f3",
        "ffzoo_f3.rule:F3",
        config="ffzoo.parts.options:OutputOptions",
        summary="a sample's output error of the epoch before, through fixed random matrices",
        paper="Flügel et al. 2023, arXiv:2304.13372",
        card="ffzoo_f3.card:F3",
    )
