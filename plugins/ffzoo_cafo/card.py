"""The card of cascaded forward."""

from __future__ import annotations

from ffzoo.card import Card, Published

CAFO_DFA = Card(
    title="The Cascaded Forward Algorithm for Neural Network Training",
    authors="Zhao et al.",
    year=2023,
    url="https://arxiv.org/abs/2303.09728",
    source="memory",
    reconstruction=True,
    local="No weight of another block enters a block's update, but an output layer's error does.",
    published=(
        Published("mnist", 98.8, "three convolutional blocks", "memory", "about"),
        Published("cifar10", 67.0, "three convolutional blocks", "memory", "about"),
        Published("cifar100", 41.0, "three convolutional blocks", "memory", "about"),
    ),
    departures=(
        "Blocks and predictors are trained together; theirs are trained one after the other.",
        "The output layer whose error teaches the blocks is no predictor, and takes no part in the prediction.",
        "Predictors have cross-entropy; the closed form and the sparsemax loss are not here.",
        "Predictors read maps averaged to 4x4 windows; grid=all is the published form.",
        "Blocks are the backbone's, normalized for the next one by the library's forward norm; theirs have batch norm.",
    ),
    remarks=("The released code trains no blocks, so only the predictors could be read in it.",),
)
