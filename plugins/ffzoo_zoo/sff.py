"""Scalable Forward-Forward: the goodness is the mean square of a 1x1 convolution to the classes.

For block l with detached input x_l::

    h_l  = block_l(x_l)                                     several layers may be in a block, with backprop inside
    a_l  = conv_l(h_l) + b_l                                auxiliary 1x1 convolution, one channel a class
    g_lk = mean over positions of a_lk^2                    goodness of class k
    L_l  = log(sum over k of exp(g_lk)) - g_ly              log-sum-exp margin: the cross-entropy of the goodness
    u_l  = LayerNorm(h_l), stop-gradient                    what block l + 1 reads
    prediction: the sum of the goodness over blocks

The convolution, its mean squares, the layer norm, the isolation and the averaged vote of the blocks are told on the
author's summary page. ``loss=npair_margin`` has the constant that the paper may add to the loss.
"""

from ffzoo.plugin import Card, Published, Recipe, Sum, Term, algorithm, goodness, options, require


@options
class ClassEnergy:
    """A convolution from a block's channels to one channel per class.

    Attributes:
        kernel: side of its filters, odd; flat features have a linear layer.
    """

    kernel: int = 1

    def __post_init__(self) -> None:
        require(self.kernel >= 1 and self.kernel % 2 == 1, "kernel", self.kernel, "an odd number of at least 1")


goodness(
    "class_energy",
    ".sff_parts:ClassEnergy",
    config=ClassEnergy,
    summary="mean square of a learned convolution to one channel per class",
)

SFF = algorithm(
    "sff",
    Recipe(terms=(Term(ClassEnergy(), "cross_entropy"),), forward_norm="auto", fusion=Sum(of="score")),
    summary="an auxiliary convolution to the classes, its mean squares against each other",
    card=Card(
        title="Scalable Forward-Forward Algorithm",
        authors="Krutsylo",
        year=2025,
        url="https://arxiv.org/abs/2501.03176",
        source="third party",
        reconstruction=True,
        local="A block learns from an auxiliary convolution of its own; what the next block reads is detached.",
        published=(Published("cifar10", 81.38, "CNN", "third party", "the author's backprop: 78.49"),),
        departures=(
            "The loss is log-sum-exp of all classes' goodness less the right one's, as a third party gives it, which "
            "is the cross-entropy; summaries call it a margin loss, and whether the paper adds a constant could not "
            "be read.",
            "The layer norm between blocks has no gain and no bias.",
            "The optimizer is that of every rule of the library.",
        ),
    ),
)
