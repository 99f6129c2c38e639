"""Layer collaboration: supervised Forward-Forward whose blocks know the goodness of all others.

Block l sees what all other blocks think of a sample::

    G_l     = mean of h_l^2                              goodness
    gamma_l = sum over j != l of G_j, stop-gradient      from a pass before the step, positive and negative alike
    p_l(positive) = sigmoid(s (G_l + gamma_l - theta))   theta = 2 for each of the network's blocks, s = 8
    L_l     = mean of -log p_l(positive) over positive samples and of -log(1 - p_l(positive)) over negative ones
    u_l     = h_l / rms(h_l), stop-gradient
    prediction: the label whose goodness, summed over all blocks, is highest

The paper's simultaneous form is this one; in another only earlier blocks count in gamma_l.
"""

from typing import Annotated

from annotated_types import Gt

from ffzoo.plugin import AutoLabel, Card, Published, Recipe, Term, algorithm, local_loss, options


@options
class Collaborative:
    """Logistic loss of the network's goodness against a threshold.

    Attributes:
        threshold: a block's share of the threshold; it is multiplied by the number of blocks.
        scale: factor of the goodness less its threshold.
    """

    threshold: float = 2.0
    scale: Annotated[float, Gt(0)] = 8.0


local_loss(
    "collaborative",
    ".layer_collaboration_parts:Collaborative",
    config=Collaborative,
    summary="the logistic loss of a block's goodness plus that of all other blocks",
)

LAYER_COLLABORATION = algorithm(
    "layer_collaboration",
    Recipe(
        terms=(Term("mean_squares", Collaborative(threshold=2.0, scale=8.0)),),
        label_embedding=AutoLabel(value=5.0),
        negatives="wrong_label",
        forward_norm="rms",
        fusion="sum",
    ),
    summary="supervised FF whose blocks judge a sample by the goodness of the whole network",
    defaults={"backbone": "mlp", "fit.lr": 2e-3},
    card=Card(
        title="Layer Collaboration in the Forward-Forward Algorithm",
        authors="Lorberbom et al.",
        year=2023,
        url="https://arxiv.org/abs/2305.12393",
        source="third party",
        reconstruction=True,
        local="No gradient crosses a block, but the value of every other block's goodness enters a block's loss.",
        published=(
            Published("mnist", 97.9, "MLP", "third party", "the authors' FF: 96.6"),
            Published("fashion_mnist", 88.0, "MLP", "third party", "the authors' FF: 86.4"),
            Published("cifar10", 47.3, "MLP", "third party", "the authors' FF: 46.3"),
        ),
        departures=(
            "The goodness is the mean of squares, with a scale of its own in the loss; the paper's is the sum.",
            "The threshold grows with the number of blocks.",
            "All blocks are updated from one batch and from the goodness before the step; the paper takes them in "
            "turn.",
            "The label is written at a height of 5, or as plane waves on feature maps, as in vanilla_ff.",
        ),
        remarks=(
            "Below the floor of random features on digits, and a probe of its features stays below it too: telling "
            "right labels from wrong ones leaves less of the image than random weights do.",
        ),
    ),
)
