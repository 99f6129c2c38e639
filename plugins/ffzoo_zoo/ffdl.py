"""Forward-forward direct labeling: the label goes straight into every block, by a learned projection.

For block l, with a positive and a negative view of every sample, which carry its label y and a wrong one::

    x_l = u_(l-1) + P_l onehot(y)                        u_0 = x; P_l learned with block l
    h_l = block_l(x_l)
    G_l = mean of h_l^2
    L_l = mean of softplus(s (theta - G_l(+))) and softplus(s (G_l(-) - theta))
    u_l = h_l / rms(h_l), stop-gradient                  features go on, and the label comes anew
    prediction: the label with the highest sum of G_l over the blocks

In Forward-Forward the label enters once, and a later block sees what earlier ones left of it. Here labels and
features go forward separately: every block is shown both.
"""

from __future__ import annotations

from typing import Annotated

from annotated_types import Gt

from ffzoo.plugin import Card, Logistic, Recipe, Term, algorithm, label_embedding, options


@options
class LabelProjections:
    """A learned vector per class and block.

    Attributes:
        scale: standard deviation of the vectors' numbers at the start; what they are added to has a mean square of
            about 1.
    """

    scale: Annotated[float, Gt(0)] = 1.0


label_embedding(
    "label_projections",
    ".ffdl_parts:LabelProjections",
    config=LabelProjections,
    summary="a learned vector per class is added to what every block reads",
)

FFDL = algorithm(
    "ffdl",
    Recipe(
        terms=(Term("mean_squares", Logistic(threshold=2.0, scale=8.0)),),
        label_embedding=LabelProjections(),
        negatives="wrong_label",
        forward_norm="rms",
        fusion="sum",
    ),
    summary="supervised FF whose blocks each get the label by a learned projection of their own",
    defaults={"backbone": "mlp", "fit.lr": 2e-3},
    card=Card(
        title="FFCL: Forward-Forward Net with Cortical Loops, Training and Inference on Edge Without Backpropagation",
        authors="Karkehabadi, Homayoun and Sasan",
        year=2024,
        url="https://arxiv.org/abs/2405.12443",
        source="abstract",
        reconstruction=True,
        local="A block learns from its own goodness, and its own projection of the label with it.",
        departures=(
            "Only the abstract and a summary were at hand: labels are given to every layer apart from the features; "
            "that it is a learned sum before the block's weights is inferred.",
            "On feature maps the label adds the same vector at every position.",
            "Goodness, loss and norm are those of vanilla_ff in this library.",
            "The paper's cheaper inference and its feedback loops (FFCL) are not here: labels are swept in full "
            "passes.",
        ),
        remarks=(
            "The abstract reports higher accuracies per layer than Forward-Forward on MNIST, Fashion-MNIST and "
            "CIFAR-10; the figures could not be read.",
            "Below the floor of random features on digits, and a probe of its features stays below it too: telling "
            "right labels from wrong ones leaves less of the image than random weights do.",
        ),
    ),
)
