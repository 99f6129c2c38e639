"""The card of momentum auxiliary networks."""

from __future__ import annotations

from ffzoo.registry.cards import Card, Published

MAN = Card(
    title="Momentum Auxiliary Network for Supervised Local Learning",
    authors="Su et al.",
    year=2024,
    url="https://arxiv.org/abs/2407.05623",
    source="code",
    local="No gradient crosses a block, but a block learns through a slow copy of the next block's first layer.",
    published=(
        Published(
            "cifar10",
            90.89,
            "ResNet-32 in 16 blocks",
            "memory",
            "on top of DGL, alone 85.92; their backprop: 93.63",
        ),
    ),
    departures=(
        "Of the next block the first convolution or linear layer is followed, with a ReLU behind it; the authors' code "
        "follows a whole residual block, normalization and shortcut included.",
        "A linear classifier on 4x4 windows stands behind it; theirs is the auxiliary network of DGL or InfoPro, with "
        "InfoPro's reconstruction loss.",
        "The copy starts from the next block's weights; theirs starts from random ones.",
        "Blocks are normalized for the next one by the library's forward norm; theirs have batch norm.",
    ),
    remarks=("The copy moves once a forward pass, so micro-batches are refused.",),
)
