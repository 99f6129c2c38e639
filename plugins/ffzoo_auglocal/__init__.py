"""AugLocal: auxiliary networks that resemble the blocks that follow."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.registry.hookspecs import Register

PAPER = "Ma et al. 2024, arXiv:2402.17318"


@hookimpl
def register_goodness(register: Register) -> None:
    """A class goodness that looks ahead."""
    register(
        "sampled_blocks",
        "ffzoo_auglocal.goodness:SampledBlocks",
        config="ffzoo_auglocal.options:SampledBlocks",
        summary="a learned network of layers shaped like later blocks, sampled evenly, and a classifier",
        paper=PAPER,
    )


@hookimpl
def register_algorithms(register: Register) -> None:
    """Cross-entropy of that goodness at every block."""
    register(
        "auglocal",
        "ffzoo_auglocal.recipes:AUGLOCAL",
        summary="auxiliary networks sampled from the shapes of later blocks; the last block predicts",
        paper=PAPER,
        card="ffzoo_auglocal.card:AUGLOCAL",
    )
