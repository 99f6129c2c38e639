"""Decoupled greedy learning: a small auxiliary network scores the classes at every block.

For block l with detached input x_l::

    h_l = block_l(x_l)
    z_l = aux_l(h_l)                          a small network on pooled features, learned
    L_l = CrossEntropy(z_l, y)
    prediction: the sum of log softmax(z_l) over the range of blocks that is best on the validation part

With a linear auxiliary network it would be ``nokland_pred``. On 10,000 images of CIFAR-10 (``whitened_cnn`` of widths
32-32-64-64-64-64, configuration ``fast_cifar`` with batches of 250, 3 epochs, two seeds) the auxiliary network here had
74.0 and 74.1 % with a width of 32, at 10 % more arithmetic than the linear classifier, which had 73.1 and 73.4 %.
Presented at ICML 2020.
"""

from typing import Annotated

from annotated_types import Ge

from ffzoo.plugin import Card, Published, Recipe, Term, algorithm, goodness, options


@options
class AuxConv:
    """A small network on pooled features: hidden layers, then a linear layer to the classes.

    Attributes:
        grid: windows per side to which maps are averaged first, clipped to the map.
        width: channels of a hidden layer; 0 for those of the block, but at most 64.
        layers: number of hidden layers.
    """

    grid: Annotated[int, Ge(1)] = 4
    width: Annotated[int, Ge(0)] = 0
    layers: Annotated[int, Ge(1)] = 1


goodness(
    "aux_conv",
    ".dgl_parts:AuxConv",
    config=AuxConv,
    summary="a learned convolution and classifier on pooled features",
)

DGL = algorithm(
    "dgl",
    Recipe(terms=(Term(AuxConv(), "cross_entropy"),), forward_norm="auto", fusion="best_range"),
    summary="a small convolutional classifier at every block",
    card=Card(
        title="Decoupled Greedy Learning of CNNs",
        authors="Belilovsky, Eickenberg and Oyallon",
        year=2019,
        url="https://arxiv.org/abs/1901.08164",
        source="code",
        local="A block learns from a small auxiliary network of its own, which is trained with it.",
        published=(Published("imagenet", 67.6, "VGG-13, cut at every layer", "memory", "about"),),
        departures=(
            "The auxiliary network is one 3x3 convolution, a norm over the sample and a GELU on a 4x4 grid; theirs "
            "(MLP-SR) is three 1x1 convolutions on a map of reduced resolution and a fully connected network, with "
            "batch norm.",
            "The auxiliary networks take part in the prediction; theirs are thrown away, all but the last.",
            "Blocks are updated in turn inside one forward pass; the asynchronous form with a replay buffer is not "
            "here.",
        ),
        remarks=("The auxiliary network counts as part of a block's readout, not as one of its weight layers.",),
    ),
)
