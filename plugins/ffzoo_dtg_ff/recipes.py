"""DTG-FF (Chen 2026, "Synthetic Benchmarks Overstate Forward-Forward Scaling", arXiv:2606.06539v1).

For block l with detached input x_l::

    h_l = ReLU(Conv_l(x_l))
    g_l = pool(h_l)                                     goodness path: no normalization
    T_l = T_min + (T_max - T_min) sigmoid(alpha_l)      learned scalar, (0.1, 2.0), starts in the middle
    z_l = R_l^T g_l / T_l                               R_l fixed random, d_l x K
    L_l = CrossEntropy(z_l, y)                          positive samples only
    u_l = LayerNorm(downsample(h_l)), stop-gradient     what block l + 1 reads
    prediction: a fusion of the blocks; here the sum of log softmax(z_l) over the range of blocks that is
    best on the validation part

Published: CIFAR-10 91.8 %, ImageNet-100 at 224 px 49.4 % (abstract).

Read from the abstract and from readers of the full text, which was not at hand. Inferred: no affine
in the LayerNorm, the fusion's wiring, R ~ N(0, 1/d). Ours: ``dtg_ff`` pools energies h^2 on a 4x4
grid (the patches of ASGE, arXiv:2509.12394), for accuracy; ``dtg_ff_gap`` averages h over the map,
the literal reading. The temperature's range is that of the author's earlier code. The fusion is ours
too: on the validation part of Fashion-MNIST (cnn, 4 epochs, one seed) the best range had 91.0 %, the
sum over all blocks 90.3 %, the last block 89.7 % and ``concat_linear`` 89.1 %.
"""

from __future__ import annotations

from ffzoo import Recipe, Term
from ffzoo.parts.options import Projection

DTG_FF = Recipe(
    terms=(Term(Projection(power=2, grid=4, projection="random", temperature="learned"), "cross_entropy"),),
    forward_norm="auto",
    fusion="best_range",
)
DTG_FF_GAP = DTG_FF.set({"goodness.power": 1, "goodness.grid": 1})
