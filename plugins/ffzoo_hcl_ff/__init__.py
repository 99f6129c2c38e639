"""HCL-FF: coarse classes early, fine ones late, and supervised contrast beside them."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.registry.hookspecs import Register

PAPER = "Yao et al. 2026, arXiv:2605.24797"


@hookimpl
def register_local_losses(register: Register) -> None:
    """Cross-entropy on groups of classes."""
    register(
        "hierarchical_cross_entropy",
        "ffzoo_hcl_ff.hierarchy:HierarchicalCrossEntropy",
        config="ffzoo_hcl_ff.options:Hierarchy",
        summary="cross-entropy of groups of classes: coarse in early blocks, fine in late ones",
        paper=PAPER,
    )


@hookimpl
def register_algorithms(register: Register) -> None:
    """Hierarchy and contrast."""
    register(
        "hcl_ff",
        "ffzoo_hcl_ff.recipes:HCL_FF",
        summary="class groups from coarse to fine with depth, and supervised contrast of normalized features",
        paper=PAPER,
        card="ffzoo_hcl_ff.card:HCL_FF",
    )
