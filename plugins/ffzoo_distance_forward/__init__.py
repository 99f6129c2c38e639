"""Distance-Forward: class goodness is nearness to a centroid of the class."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.registry.hookspecs import Register

PAPER = "Wu et al. 2024, arXiv:2408.14925"


@hookimpl
def register_goodness(register: Register) -> None:
    """Distances to centroids."""
    register(
        "centroids",
        "ffzoo_distance_forward.goodness:Centroids",
        config="ffzoo_distance_forward.options:Centroids",
        summary="minus the squared distance to a learned centroid of each class",
        paper=PAPER,
    )


@hookimpl
def register_algorithms(register: Register) -> None:
    """The variant with overlapping blocks, DF-O."""
    register(
        "distance_forward",
        "ffzoo_distance_forward.recipes:DISTANCE_FORWARD",
        summary="distances to class centroids with a margin, learned by overlapping pairs of blocks (DF-O)",
        paper=PAPER,
        card="ffzoo_distance_forward.card:DISTANCE_FORWARD",
    )
