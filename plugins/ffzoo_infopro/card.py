"""The card of InfoPro."""

from __future__ import annotations

from ffzoo.registry.cards import Card, Published

INFOPRO = Card(
    title="Revisiting Locally Supervised Learning: an Alternative to End-to-end Training",
    authors="Wang et al.",
    year=2021,
    url="https://arxiv.org/abs/2101.10832",
    source="code",
    local="A block learns from a decoder and a classifier of its own; what both are compared with is data.",
    published=(
        Published(
            "imagenet", 78.15, "ResNet-101 in 2 modules", "repository", "78.55 with ResNet-152, 79.65 with ResNeXt-101"
        ),
    ),
    departures=(
        "The reconstruction has a squared error against normalized inputs; theirs a binary cross-entropy against "
        "pixels between 0 and 1.",
        "The decoder of a map has no batch norm, and that of flat features, which the paper does not have, is linear.",
        "The classifier is one 3x3 convolution, a norm over the sample, a GELU and a linear layer; theirs has batch "
        "norm and one hidden layer more, and where lambda_2 weighs a contrast, a projection instead of classes.",
        "Every layer of the backbone is a module, and all have the same weights lambda but for a line over depth; "
        "theirs has 2 to 16 modules with lambdas chosen for each number of them.",
        "The last block's classifier is the same small network; theirs is linear on pooled features.",
        "The line of lambda_2 from 0.5 to 1 is chosen here.",
        "The prediction is a fusion of the blocks; theirs is the last module's.",
    ),
)
