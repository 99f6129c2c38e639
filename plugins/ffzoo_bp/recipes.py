"""Backprop on the same blocks as every local rule, so that a comparison differs by one choice.

One backward through all blocks, of ::

    L = CrossEntropy(W pool(h_L) + b, y)      bp
    L = L_1 + ... + L_depth of dtg_ff         bp_deepsup

``bp_deepsup`` is dtg_ff with ``isolation="none"``: same modules, initial weights, fusion and
optimizers; no stop-gradient between blocks.
"""

from __future__ import annotations

from ffzoo import Recipe, Term
from ffzoo.parts.options import Projection
from ffzoo_bp.options import BP
from ffzoo_zoo.dtg_ff import DTG_FF

BP_DEEPSUP = DTG_FF.replace(isolation="none")

_HEADS = {
    "linear": Projection(power=1, grid=1, projection="learned", bias="learned", temperature=1.0),
    "twin": DTG_FF.terms[0].goodness,
    "native": "native_head",
}


def bp(config: BP) -> Recipe:
    """Plain backprop with the chosen head."""
    return Recipe(
        terms=(Term(_HEADS[config.head], "cross_entropy", blocks="last"),),
        forward_norm=DTG_FF.forward_norm,
        isolation="none",
        fusion="last",
    )
