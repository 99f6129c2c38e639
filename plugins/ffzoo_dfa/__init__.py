"""Direct feedback alignment: the output's error goes straight to every block, through fixed random matrices."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.registry.hookspecs import Register


@hookimpl
def register_algorithms(register: Register) -> None:
    """The rule."""
    register(
        "dfa",
        "ffzoo_dfa.rule:DFA",
        config="ffzoo.parts.options:OutputLayer",
        summary="the output's error, through fixed random matrices, is every block's gradient",
        paper="Nøkland 2016, arXiv:1609.01596",
        card="ffzoo_dfa.card:DFA",
    )
