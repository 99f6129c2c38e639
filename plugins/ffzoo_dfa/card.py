"""The card of direct feedback alignment."""

from __future__ import annotations

from ffzoo.registry.cards import Card, Published

DFA = Card(
    title="Direct Feedback Alignment Provides Learning in Deep Neural Networks",
    authors="Nøkland",
    year=2016,
    url="https://arxiv.org/abs/1609.01596",
    source="third party",
    reconstruction=True,
    local="No weight of another block enters a block's update, but the output's error does, and blocks wait for it.",
    published=(
        Published("mnist", 98.55, "fully connected, with dropout", "abstract"),
        Published("cifar10", 67.84, "ResNet-20, with Adam", "third party", "BioTorch's benchmark; its backprop: 89.99"),
    ),
    departures=(
        "The formula was read in the code that comes with DRTP, which has DFA as a baseline, not in the paper.",
        "Units are the backbone's, ReLU in the library's own networks.",
        "Blocks are normalized for the next one by the library's forward norm.",
        "A block of several layers is taught at its output and learns through its own layers by autograd.",
        "The output layer reads maps averaged to 4x4 windows.",
    ),
    remarks=("A feedback matrix has a number for every feature and class: large for large maps and many classes.",),
)
