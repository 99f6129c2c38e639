"""The card of decoupled greedy learning."""

from __future__ import annotations

from ffzoo.registry.cards import Card, Published

DGL = Card(
    title="Decoupled Greedy Learning of CNNs",
    authors="Belilovsky, Eickenberg and Oyallon",
    year=2019,
    url="https://arxiv.org/abs/1901.08164",
    source="code",
    local="A block learns from a small auxiliary network of its own, which is trained with it.",
    published=(Published("imagenet", 67.6, "VGG-13, cut at every layer", "memory", "about"),),
    departures=(
        "The auxiliary network is one 3x3 convolution, a norm over the sample and a GELU on a 4x4 grid; theirs "
        "(MLP-SR) is three 1x1 convolutions on a map of reduced resolution and a fully connected network, with batch "
        "norm.",
        "The auxiliary networks take part in the prediction; theirs are thrown away, all but the last.",
        "Blocks are updated in turn inside one forward pass; the asynchronous form with a replay buffer is not here.",
    ),
    remarks=("The auxiliary network counts as part of a block's readout, not as one of its weight layers.",),
)
