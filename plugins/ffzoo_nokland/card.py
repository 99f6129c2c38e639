"""The cards of the local error signals."""

from __future__ import annotations

import dataclasses

from ffzoo.registry.cards import Card, Published

_DEPARTURES = (
    "The prediction is a fusion of the blocks; theirs is the last layer's output.",
    "Their blocks have batch norm, leaky ReLU and dropout, which here are the backbone's business.",
    "Blocks are normalized for the next one by the library's forward norm.",
)

NOKLAND_PRED = Card(
    title="Training Neural Networks with Local Error Signals",
    authors="Nøkland and Eidnes",
    year=2019,
    url="https://arxiv.org/abs/1901.06656",
    source="code",
    local="A block learns from a linear classifier of its own.",
    published=(
        Published("cifar10", 91.60, "VGG8B", "repository", "the authors' backprop: 94.01"),
        Published("cifar100", 70.68, "VGG8B", "repository", "the authors' backprop: 73.76"),
    ),
    departures=_DEPARTURES,
)
NOKLAND_PREDSIM = dataclasses.replace(
    NOKLAND_PRED,
    local="A block learns from a linear classifier and a convolution of its own; both are local to it.",
    published=(
        Published("cifar10", 96.40, "VGG11B at three times the width", "repository", "with cutout"),
        Published("cifar100", 79.87, "VGG11B at three times the width", "repository"),
    ),
    departures=(
        "Maps are averaged to 8 x 8 windows before the convolution of the similarity loss; "
        "terms.1.goodness.grid=0 is the published form.",
        *_DEPARTURES,
    ),
    remarks=("The similarity loss couples the samples of a batch, so micro-batches are refused.",),
)
