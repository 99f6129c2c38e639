"""PEPITA: a second forward pass, with the output's error on the input, in the place of a backward pass."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.registry.hookspecs import Register


@hookimpl
def register_algorithms(register: Register) -> None:
    """The rule."""
    register(
        "pepita",
        "ffzoo_pepita.rule:PEPITA",
        config="ffzoo_pepita.options:PEPITA",
        summary="a second pass with the error on the input; a block learns how its features changed",
        paper="Dellaferrera and Kreiman 2022, arXiv:2201.11665",
        card="ffzoo_pepita.card:PEPITA",
    )
