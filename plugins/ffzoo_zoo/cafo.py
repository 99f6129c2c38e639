"""Cascaded forward: a linear predictor on every block, which sends nothing back to the block.

For block l, which stays as it was initialized::

    h_l = BatchNorm(block_l(h_(l-1)))
    z_l = h_l V_l                           all positions; V_l (d_l, K) learned, without a bias
    L_l = CrossEntropy(z_l, y)              trains V_l alone
    prediction: the sum over blocks of softmax(z_l)

This is ``cafo``, as the authors' code runs it. In ``cafo_dfa`` the blocks learn too, by direct feedback alignment.
"""

from dataclasses import replace

from ffzoo.plugin import Card, OutputOptions, Projection, Published, Recipe, Sum, Term, algorithm

_NET = "three convolutional blocks"
_CARD = Card(
    title="The Cascaded Forward Algorithm for Neural Network Training",
    authors="Zhao et al.",
    year=2023,
    url="https://arxiv.org/abs/2303.09728",
    source="code",
    local="A block's predictor learns from that block's features alone; the blocks do not learn.",
    published=(Published("cifar10", 67.43, _NET, "code", "a comment, for the cross-entropy"),),
    departures=(
        "All predictors are trained together, from small random weights and by the library's optimizer; theirs one "
        "after the other, by gradient descent from ones, on all samples at once.",
        "Predictors have cross-entropy; the closed form and the sparsemax loss of the code are not here.",
        "Blocks are the backbone's, behind each a batch norm; theirs are a convolution, a ReLU, a pooling and a batch "
        "norm.",
    ),
    remarks=(
        "The code's option for backprop trains the predictors alone as well.",
        "With an MLP below the floor, one probe of the same random features (0.2 points on digits, 0.75 on MNIST): "
        "every block has a predictor of its own, instead of one for all. With a small CNN on Fashion-MNIST 4.4 points "
        "above.",
    ),
)

CAFO = algorithm(
    "cafo",
    Recipe(
        terms=(Term(Projection(power=1, grid="all", projection="learned", temperature=1.0), "cross_entropy"),),
        goodness_norm="batchnorm",
        forward_norm="batchnorm",
        train_blocks=False,
        fusion=Sum(of="softmax"),
    ),
    summary="a linear predictor on every block; blocks stay random",
    card=_CARD,
)
algorithm(
    "cafo_dfa",
    ".cafo_parts:CaFoDFA",
    config=OutputOptions,
    summary="a linear predictor on every block; blocks learn by direct feedback alignment",
    card=replace(
        _CARD,
        source="memory",
        reconstruction=True,
        local="No weight of another block enters a block's update, but an output layer's error does.",
        published=(
            Published("mnist", 98.8, _NET, "memory", "about"),
            Published("cifar10", 67.0, _NET, "memory", "about"),
            Published("cifar100", 41.0, _NET, "memory", "about"),
        ),
        departures=(
            "Blocks and predictors are trained together; theirs are trained one after the other.",
            "The output layer whose error teaches the blocks is no predictor, and takes no part in the prediction.",
            "Predictors have cross-entropy; the closed form and the sparsemax loss are not here.",
            "Predictors read maps averaged to 4x4 windows; grid=all is the published form.",
            "Blocks are the backbone's, normalized for the next one by the library's forward norm; theirs have batch "
            "norm.",
        ),
        remarks=("The released code trains no blocks, so only the predictors could be read in it.",),
    ),
)
