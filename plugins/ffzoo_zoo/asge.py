"""Adaptive spatial goodness encoding: energies of patches through a frozen random matrix.

For block l of L, with C_l channels and detached input x_l::

    h_l = ReLU(Conv_l(x_l))
    P_l = C_L / C_l                                     patches a side: early blocks have few channels and many patches
    g_l = sum of h_l^2 over each patch, C_l P_l^2 numbers
    z_l = R_l^T g_l + b_l                               R_l, b_l random and frozen
    L_l = CrossEntropy(z_l, y)
    u_l = norm(h_l), stop-gradient
    prediction: the blocks' scores, fused
"""

from ffzoo.plugin import Card, Projection, Published, Recipe, Term, algorithm

_NET = "VGG-like"

ASGE = algorithm(
    "asge",
    Recipe(
        terms=(
            Term(
                Projection(power=2, grid="pyramid", pool="sum", projection="random", bias="frozen", temperature=1.0),
                "cross_entropy",
            ),
        ),
        forward_norm="auto",
        fusion="best_range",
    ),
    summary="summed energies on a pyramid of patches through a frozen random matrix and bias",
    card=Card(
        title="Adaptive Spatial Goodness Encoding: Advancing and Scaling Forward-Forward Learning Without "
        "Backpropagation",
        authors="Gong, Staszewski and Xu",
        year=2025,
        url="https://arxiv.org/abs/2509.12394",
        source="abstract",
        local="A block learns from the cross-entropy of its own patch energies through a matrix that stays as it is.",
        reconstruction=True,
        published=(
            Published("mnist", 99.65, _NET, "abstract"),
            Published("fashion_mnist", 93.41, _NET, "abstract"),
            Published("cifar10", 90.62, _NET, "abstract"),
            Published("cifar100", 65.42, _NET, "abstract"),
            Published("imagenet", 51.58, _NET, "abstract", "26.21 in the first version"),
        ),
        departures=(
            "Between native blocks stands the library's layer norm, behind its max-pool; the paper pools by root mean "
            "squares and normalizes over channels.",
            "The frozen matrix is N(0, 1/d) and the bias N(0, 1): their scales were not read.",
            "The prediction is the sum over the best range of blocks; the paper names last, fusion and best.",
        ),
    ),
)
