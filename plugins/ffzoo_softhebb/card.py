"""The card of SoftHebb."""

from __future__ import annotations

from ffzoo.registry.cards import Card, Published

_NETWORK = "up to five hidden layers, linear classifier"

SOFTHEBB = Card(
    title="Hebbian Deep Learning Without Feedback",
    authors="Journé et al.",
    year=2022,
    url="https://arxiv.org/abs/2209.11883",
    source="code",
    local="A layer learns from its own input and outputs, without labels; the probe sends nothing back.",
    published=(
        Published("mnist", 99.4, _NETWORK, "abstract"),
        Published("cifar10", 80.3, _NETWORK, "abstract"),
        Published("stl10", 76.2, _NETWORK, "abstract"),
        Published("imagenet", 27.3, _NETWORK, "abstract"),
    ),
    departures=(
        "Units are the backbone's, ReLU in the library's networks; theirs subtract their mean and have a power.",
        "Weights start at the norm 5 and learn for all epochs; theirs at about 25, and for one.",
        "The inverse temperature is 4 in every layer; theirs is 1, 0.65 and 0.25 in convolutions, 12 in an MLP.",
        "All blocks have one learning rate; theirs differ from layer to layer.",
        "Blocks are normalized for the next one by the library's forward norm; theirs have batch norm.",
        "The probe reads pooled features of all blocks and is fitted by L-BFGS; theirs reads the last, with dropout.",
        "In a block of several layers each layer learns by itself; norm layers and biases stay as they were.",
    ),
    remarks=(
        "On digits half a point below the floor of random features with the same probe, half a standard deviation: "
        "what it learns without labels does not show there. With a CNN on Fashion-MNIST 3.8 points above.",
        "Until the probe is fitted, after the last epoch, it predicts nothing.",
    ),
)
