"""Integrated Forward-Forward: backprop inside a block of several layers, Forward-Forward between blocks.

For block l with detached input u_(l-1), of two layers::

    h_l = relu(W2_l relu(W1_l u_(l-1) + b1_l) + b2_l)
    G_l = mean of h_l^2
    L_l = mean of softplus(theta - G_l(+)) and softplus(G_l(-) - theta)      theta = 1.5
    u_l = h_l / rms(h_l), stop-gradient
    blocks train one after the other, each by backprop inside itself
    prediction: the label with the highest sum of G_l over the blocks

Labels are written over the input, and a negative sample carries a wrong one, as in Forward-Forward. The rule brings
``backbone.layers=2``; with blocks of one layer it is Forward-Forward trained greedily.
"""

from ffzoo.plugin import AutoLabel, Card, Logistic, Recipe, Term, algorithm

INTEGRATED_FF = algorithm(
    "integrated_ff",
    Recipe(
        terms=(Term("mean_squares", Logistic(threshold=1.5, scale=1.0)),),
        label_embedding=AutoLabel(value=5.0),
        negatives="wrong_label",
        forward_norm="rms",
        schedule="greedy",
        fusion="sum",
    ),
    summary="supervised FF, one block of two layers after the other",
    defaults={"backbone": "mlp", "backbone.layers": 2, "fit.lr": 2e-3},
    card=Card(
        title="The Integrated Forward-Forward Algorithm: Integrating Forward-Forward and Shallow Backpropagation With "
        "Local Losses",
        authors="Tang",
        year=2023,
        url="https://arxiv.org/abs/2305.12960",
        source="code",
        local="Local between blocks, backprop inside one: with two layers a block half of the layers get a gradient "
        "from another layer.",
        departures=(
            "A block trains for an equal share of the epochs and then stays; theirs takes 50 steps on a batch, of all "
            "of MNIST, then the next block does, and so on every epoch.",
            "Features are divided by their root mean square for the next block; theirs by their Euclidean norm, and "
            "the input as well (forward_norm=l2).",
            "A negative's label is never the true one; theirs are the batch's labels shuffled.",
            "Blocks are of equal width and two layers each; theirs have for example 200-200-200 and 50-50 units.",
            "The label is written at a height of 5, theirs at that of the brightest pixel.",
            "On feature maps the label is plane waves in what every block reads.",
        ),
        remarks=(
            "The abstract reports better results than Forward-Forward on MNIST, and less sensitivity to noise than "
            "backprop; the figures could not be read.",
            "Below the floor of random features on digits, and a probe of its features stays below it too: telling "
            "right labels from wrong ones leaves less of the image than random weights do.",
            "A backbone without the option layers keeps its own blocks: look at the weight layers per block, which "
            "every run reports.",
        ),
    ),
)
