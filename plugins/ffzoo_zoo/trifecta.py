"""The Trifecta: SymBa's symmetric loss, batch normalization, and local updates that overlap.

For every sample a positive view with its label y and a negative one with a wrong label::

    x+ = [x, E_y],  x- = [x, E_k]                         E: a learned channel a class
    G_l = mean of h_l^2
    L_l = mean of softplus(-alpha (G_l(x+) - G_l(x-)))    alpha = 4, of SymBa
    u_l = batch norm of h_l                               what block l + 1 reads
    in odd steps  blocks (1, 2), (3, 4), ... learn, in even ones (1), (2, 3), (4, 5), ...
        a pair from the loss of its second block, whose gradient reaches the first; a last block alone rests
    prediction: the label k whose channel gives [x, E_k] the highest G of the last block

The three techniques are the loss, the batch norm, which keeps more of a block's features than a norm of the sample,
and the overlap: a block learns what the next one can use, and still no gradient goes further back than that.
"""

from ffzoo.plugin import Card, ClassPattern, Published, Recipe, SymmetricSoftplus, Term, algorithm

TRIFECTA = algorithm(
    "trifecta",
    Recipe(
        terms=(Term("mean_squares", SymmetricSoftplus(alpha=4.0)),),
        label_embedding=ClassPattern(place="channel", scale=0.5, learned=True),
        negatives="wrong_label",
        forward_norm="batchnorm",
        isolation="overlap",
        fusion="last",
    ),
    summary="SymBa's loss, batch norm between blocks, and updates of overlapping pairs of blocks",
    card=Card(
        title="The Trifecta: Three simple techniques for training deeper Forward-Forward networks",
        authors="Dooms, Tsang and Oramas",
        year=2023,
        url="https://arxiv.org/abs/2311.18130",
        source="code",
        local="A block learns from its own loss in one step and from the next block's in the other; a gradient "
        "crosses one boundary, never two.",
        published=(
            Published("mnist", 99.58, "6 convolutions", "memory"),
            Published("fashion_mnist", 91.44, "6 convolutions", "memory"),
            Published("svhn", 94.31, "convolutional", "memory"),
            Published("cifar10", 84.0, "convolutional, deeper", "abstract", "around 84"),
        ),
        departures=(
            "Their batch norm has a gain and a bias and stands before the first block too.",
            "The network is the library's; theirs pools inside a block, so its goodness reads the pooled map.",
            "The label's channel learns with the first block, in pairs also from the second block's loss; theirs only "
            "from the first block's.",
            "Positive and negative views are normalized by their own batch statistics; theirs share one batch.",
            "The label's channel starts at a standard deviation of 0.5, theirs at 1; the validation part of digits "
            "chose.",
            "The optimizer is that of every rule of the library, with one state a block; theirs keeps two for most "
            "blocks.",
        ),
        remarks=(
            "Below the floor of random features on digits, and a probe of its features stays below it too: telling "
            "right labels from wrong ones leaves less of the image than random weights do.",
        ),
    ),
)
