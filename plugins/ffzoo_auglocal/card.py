"""The card of AugLocal."""

from __future__ import annotations

from ffzoo.registry.cards import Card

AUGLOCAL = Card(
    title="Scaling Supervised Local Learning with Augmented Auxiliary Networks",
    authors="Ma et al.",
    year=2024,
    url="https://arxiv.org/abs/2402.17318",
    source="code",
    local="A block learns from an auxiliary network of its own, which knows the later blocks' shapes but no weights.",
    departures=(
        "A layer of an auxiliary network is a 3x3 convolution, a norm over the sample and a ReLU; theirs is one of the "
        "network's residual blocks, with batch norm.",
        "Where a sampled block has a smaller map, its input is averaged to that size; theirs has a stride.",
        "Blocks are normalized for the next one by the library's forward norm; theirs have batch norm.",
    ),
)
