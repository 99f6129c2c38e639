"""DCL (Choi et al., "Dictionary Contrastive Learning for Efficient Local Supervision without Auxiliary Networks", ICLR
2024).

One table D of label embeddings serves all blocks; each averages it to its own width. For block l::

    a_l = GAP(h_l)
    t_k = pool(D_k)                                     to the width of block l
    z_k = a_l . t_k / T
    L_l = CrossEntropy(z, y)
    prediction: the last block's scores

``dcl_s`` keeps the table as it was drawn; ``dcl`` learns it from the losses of all blocks. No gradient crosses an
activation, but through the table later blocks move what earlier ones learn from: its coupling is shared parameters.
"""

from __future__ import annotations

from ffzoo import Recipe, Term
from ffzoo.parts.options import Projection
from ffzoo_dcl.options import LabelDictionary

DCL_S = Recipe(
    terms=(Term(Projection(power=1, grid=1, projection="embeddings", temperature=20.0), "cross_entropy"),),
    forward_norm="auto",
    fusion="last",
)
DCL = DCL_S.replace(terms=(Term(LabelDictionary(), "cross_entropy"),))
