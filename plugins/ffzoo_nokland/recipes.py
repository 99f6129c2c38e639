"""Local classifiers (Nøkland and Eidnes 2019, "Training Neural Networks with Local Error Signals", arXiv:1901.06656).

For block l with detached input x_l::

    h_l = block_l(x_l)
    a_l = pool(h_l)                           average over windows, as many as leave at most 2,048 numbers
    z_l = W_l^T a_l + b_l                     learned, starts at random
    L_l = CrossEntropy(z_l, y)                the paper's L_pred: nokland_pred
    L_l = 0.01 L_pred + 0.99 L_sim            similarity matching, see similarity.py: nokland_predsim
    prediction: the sum of log softmax(z_l) over the range of blocks that is best on the validation part

Published, from the tables beside the authors' code, as test error: with ``pred`` alone 8.40 % on CIFAR-10 and
29.32 % on CIFAR-100 (VGG8B), against 5.99 and 26.24 % by backprop. The paper's best, 3.60 and 20.13 % (VGG11B at
three times the width, the former with cutout), are of ``predsim``.

Departures: the prediction is a fusion of the blocks, theirs is the last layer's output; the forward norm is the
library's; their blocks have batch norm, leaky ReLU and dropout, which here are the backbone's business; maps are
averaged to 8x8 windows before the convolution of L_sim (``grid=0`` is the published form), whose cost would
otherwise be that of the block.
"""

from __future__ import annotations

import dataclasses

from ffzoo import Recipe, Term
from ffzoo.parts.options import Projection
from ffzoo_nokland.options import Similarity

NOKLAND_PRED = Recipe(
    terms=(
        Term(
            Projection(power=1, grid="all", max_features=2048, projection="learned", bias="learned", temperature=1.0),
            "cross_entropy",
        ),
    ),
    forward_norm="auto",
    fusion="best_range",
)
NOKLAND_PREDSIM = NOKLAND_PRED.replace(
    terms=(
        dataclasses.replace(NOKLAND_PRED.terms[0], weight=0.01),
        Term(Similarity(), "similarity_matching", weight=0.99),
    )
)
