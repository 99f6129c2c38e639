"""SoftHebb: Hebbian learning with a soft winner-take-all, without labels."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.registry.hookspecs import Register


@hookimpl
def register_algorithms(register: Register) -> None:
    """The rule."""
    register(
        "softhebb",
        "ffzoo_softhebb.rule:SoftHebb",
        config="ffzoo_softhebb.options:SoftHebb",
        summary="Hebbian soft winner-take-all in every layer, without labels; a linear probe reads it",
        paper="Journé, Garcia Rodriguez, Guo and Moraitis 2022, arXiv:2209.11883",
        card="ffzoo_softhebb.card:SOFTHEBB",
        defaults={"fit.lr": 0.05},
    )
