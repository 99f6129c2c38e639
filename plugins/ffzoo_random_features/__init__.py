"""Random features: the control of every rule that is read by a probe."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.registry.hookspecs import Register


@hookimpl
def register_algorithms(register: Register) -> None:
    """Blocks that learn nothing."""
    register(
        "random_features",
        "ffzoo_random_features.recipes:RANDOM_FEATURES",
        summary="blocks stay as they were initialized, read by a probe: the control beside every probe's figure",
        paper="Rahimi and Recht 2007, NeurIPS",
        card="ffzoo_random_features.card:RANDOM_FEATURES",
    )
