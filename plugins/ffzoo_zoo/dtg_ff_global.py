"""DTG-FF whose blocks also learn from a global classifier, as the paper's own rule probably does.

For block l, with h_l, z_l and u_l of ``dtg_ff``::

    L_l = CrossEntropy(z_l, y)                                    as in dtg_ff
    f_l = layer norm(GAP(h_l))                                    fusion path
    L = L_1 + ... + L_depth + CrossEntropy(W concat(f_1, ..., f_depth) + b, y)
    prediction: W concat(f_1, ..., f_depth) + b

The global term's gradient enters a block by the block's own f_l and goes no further back. What it sends there depends
on all blocks, so the rule is not strictly local.
"""

from dataclasses import replace

from ffzoo.plugin import algorithm
from ffzoo_zoo.dtg_ff import CARD, DTG_FF, ENERGIES, PROBABLY

DTG_FF_GLOBAL = algorithm(
    "dtg_ff_global",
    DTG_FF.replace(fusion="concat_linear", fusion_grad="one_hop"),
    summary="dtg_ff whose blocks also learn from a global classifier: not strictly local",
    card=replace(
        CARD,
        local=(
            "Not strictly local: a classifier of all blocks sends each block a gradient by one hop, so what the first "
            "block learns depends on the last. No gradient passes from block to block."
        ),
        departures=(
            "Two readers of the full text say, independently of each other, that the paper has a global classifier "
            "term that reaches the blocks; that it reads layer-normalized averages and weighs 1 is inferred.",
            ENERGIES,
            *CARD.departures[1:],
        ),
        remarks=(*CARD.remarks, PROBABLY),
    ),
)
