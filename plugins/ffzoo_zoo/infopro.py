"""InfoPro: a block keeps what the input holds and makes the classes plain, in a balance that shifts with depth.

A block that is trained for the classes alone throws away what later blocks could have used. So early blocks are made
to keep the input, late ones to tell the classes; for block l of L with detached input::

    h_l = block_l(u_(l-1))
    x^_l = decoder_l(h_l)                          a small network back to the input
    z_l = aux_l(h_l)                               a small convolutional classifier
    L_l = lambda_1(l) mean (x^_l - x)^2 + lambda_2(l) CrossEntropy(z_l, y)
    lambda_1: on a line from 5 in the first block to 0.5 in the last but one; 0 in the last
    lambda_2: on a line from 0.5 in the first block to 1 in the last but one; 1 in the last
    prediction: the sum of log softmax(z_l) over the range of blocks that is best on the validation part
"""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge

from ffzoo.plugin import Card, Published, Recipe, Term, algorithm, goodness, local_loss, options
from ffzoo_zoo.dgl import AuxConv


@options
class Decoder:
    """A small network back to the input.

    Attributes:
        width: channels of its hidden layer; flat features are decoded by a linear layer, which has none.
    """

    width: Annotated[int, Ge(1)] = 12


@options
class ByDepth:
    """A weight that lies on a line from the first block to the last but one; the last has a fixed one.

    Attributes:
        first: weight in the first block.
        last: weight in the last block but one.
    """

    first: Annotated[float, Ge(0)] = 1.0
    last: Annotated[float, Ge(0)] = 1.0


@options
class Reconstruction(ByDepth):
    """lambda_1 of the reconstruction, 0 in the last block.

    Attributes:
        first: lambda_1 in the first block.
        last: lambda_1 in the last block but one.
    """


@options
class DepthCrossEntropy(ByDepth):
    """lambda_2 of the cross-entropy, 1 in the last block.

    Attributes:
        first: lambda_2 in the first block.
        last: lambda_2 in the last block but one.
    """


goodness(
    "decoder",
    ".infopro_parts:Decoder",
    config=Decoder,
    summary="a small learned network from a block's features back to the input",
)
local_loss(
    "reconstruction",
    ".infopro_parts:Reconstruction",
    config=Reconstruction,
    summary="mean squared error against the input, weighted by depth",
)
local_loss(
    "depth_cross_entropy",
    ".infopro_parts:DepthCrossEntropy",
    config=DepthCrossEntropy,
    summary="-log softmax(z)_y, weighted by depth",
)

INFOPRO = algorithm(
    "infopro",
    Recipe(
        terms=(
            Term(AuxConv(), DepthCrossEntropy(first=0.5, last=1.0)),
            Term(Decoder(), Reconstruction(first=5.0, last=0.5)),
        ),
        forward_norm="auto",
        fusion="best_range",
    ),
    summary="early blocks rebuild the input, late ones tell the classes apart",
    card=Card(
        title="Revisiting Locally Supervised Learning: an Alternative to End-to-end Training",
        authors="Wang et al.",
        year=2021,
        url="https://arxiv.org/abs/2101.10832",
        source="code",
        local="A block learns from a decoder and a classifier of its own; what both are compared with is data.",
        published=(
            Published(
                "imagenet",
                78.15,
                "ResNet-101 in 2 modules",
                "repository",
                "78.55 with ResNet-152, 79.65 with ResNeXt-101",
            ),
        ),
        departures=(
            "The reconstruction has a squared error against normalized inputs; theirs a binary cross-entropy against "
            "pixels between 0 and 1.",
            "The decoder of a map has no batch norm, and that of flat features, which the paper does not have, is "
            "linear.",
            "The classifier is one 3x3 convolution, a norm over the sample, a GELU and a linear layer; theirs has "
            "batch norm and one hidden layer more, and where lambda_2 weighs a contrast, a projection instead of "
            "classes.",
            "Every layer of the backbone is a module, and all have the same weights lambda but for a line over depth; "
            "theirs has 2 to 16 modules with lambdas chosen for each number of them.",
            "The last block's classifier is the same small network; theirs is linear on pooled features.",
            "The line of lambda_2 from 0.5 to 1 is chosen here.",
            "The prediction is a fusion of the blocks; theirs is the last module's.",
        ),
        remarks=(
            "The results on CIFAR-10 are published as plots only; the memory falls by 40 to 60 % (the authors' "
            "repository).",
        ),
    ),
)
