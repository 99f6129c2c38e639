"""SymBa: a loss that treats positive and negative samples alike, and labels as patterns over the whole input.

For block l with detached input, and a positive and a negative view of every sample::

    x+ = x + P_y,  x- = x + P_k                           P: a fixed random pattern a class; k a wrong label
    G_l = mean of h_l^2
    L_l = mean of softplus(-alpha (G_l(x+) - G_l(x-)))    alpha = 4
    u_l = h_l / rms(h_l), stop-gradient                   what block l + 1 reads
    prediction: the label k whose pattern gives x + P_k the highest sum of G_l over the blocks

Forward-Forward pushes G+ above a threshold and G- below it, each with a gradient of its own; here the two gradients
are equal and opposite at every pair, and nothing but the difference counts. The pattern lies over all of the input, so
that a block can find the label anywhere.
"""

from ffzoo.plugin import Card, ClassPattern, Published, Recipe, SymmetricSoftplus, Term, algorithm

SYMBA = algorithm(
    "symba",
    Recipe(
        terms=(Term("mean_squares", SymmetricSoftplus(alpha=4.0)),),
        label_embedding=ClassPattern(place="add"),
        negatives="wrong_label",
        forward_norm="rms",
        fusion="sum",
    ),
    summary="no threshold: a sample must score higher than its negative; labels as patterns",
    defaults={"backbone": "mlp", "fit.lr": 2e-3},
    card=Card(
        title="SymBa: Symmetric Backpropagation-Free Contrastive Learning with Forward-Forward Algorithm for "
        "Optimizing Convergence",
        authors="Lee and Song",
        year=2023,
        url="https://arxiv.org/abs/2303.08418",
        source="third party",
        reconstruction=True,
        local="A block learns from its own goodness alone; what the next block reads is detached.",
        published=(
            Published("mnist", 98.58, "not noted", "memory"),
            Published("cifar10", 59.09, "not noted", "memory"),
            Published("cifar100", 29.28, "not noted", "memory"),
        ),
        departures=(
            "Only the abstract was at hand; the loss with alpha = 4 was read in the code of the Trifecta, which uses "
            "it.",
            "The paper calls the label's pattern the intrinsic class pattern; how it is drawn and where it enters are "
            "inferred: Gaussian, added to the input (label_embedding.place=channel puts it beside the image).",
            "Blocks are normalized to a mean square of 1 for the next one, and all blocks train at every step.",
        ),
        remarks=(
            "Below the floor of random features on digits, and a probe of its features stays below it too: telling "
            "right labels from wrong ones leaves less of the image than random weights do.",
        ),
    ),
)
