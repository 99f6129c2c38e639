"""The baselines: end-to-end backprop, and backprop with a loss at every block."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.registry.hookspecs import Register


@hookimpl
def register_goodness(register: Register) -> None:
    """A model's own classifier as a goodness."""
    register("native_head", "ffzoo_bp.head:NativeHead", summary="the model's own classifier")


@hookimpl
def register_algorithms(register: Register) -> None:
    """Backprop, plain and with deep supervision."""
    paper = "Rumelhart, Hinton and Williams 1986"
    register(
        "bp",
        "ffzoo_bp.recipes:bp",
        config="ffzoo_bp.options:BP",
        summary="backprop of one loss on the last block",
        paper=paper,
        card="ffzoo_bp.card:BP",
    )
    register(
        "bp_deepsup",
        "ffzoo_bp.recipes:BP_DEEPSUP",
        summary="backprop of dtg_ff's own losses: the same modules without stop-gradients",
        paper="Lee et al. 2015, arXiv:1409.5185; as the twin of arXiv:2606.06539",
        card="ffzoo_bp.card:BP_DEEPSUP",
    )
