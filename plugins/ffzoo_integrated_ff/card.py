"""The card of ``integrated_ff``."""

from __future__ import annotations

from ffzoo.card import Card

INTEGRATED_FF = Card(
    title="The Integrated Forward-Forward Algorithm: Integrating Forward-Forward and Shallow Backpropagation "
    "With Local "
    "Losses",
    authors="Tang",
    year=2023,
    url="https://arxiv.org/abs/2305.12960",
    source="code",
    local="Backprop inside a block of several layers, nothing between blocks: the number of layers a block is "
    "printed beside "
    "every result.",
    departures=(
        "All blocks have the same number of layers, two unless backbone.layers says otherwise.",
        "Only the mlp and cnn backbones have such blocks; on others a block is what it is.",
        "The height of the label, 5, is that of vanilla_ff in this library.",
    ),
)
