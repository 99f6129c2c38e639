"""The cards of ``cwcomp`` and its losses."""

from __future__ import annotations

from dataclasses import replace

from ffzoo.registry.cards import Card, Published

_NET = "four convolutions, 20-80-240-480 channels on CIFAR-10"
CWCOMP = Card(
    title="Convolutional Channel-wise Competitive Learning for the Forward-Forward Algorithm",
    authors="Papachristodoulou et al.",
    year=2023,
    url="https://arxiv.org/abs/2312.12668",
    source="code",
    local="A block learns from the competition of its own channel groups, which are read behind its batch norm.",
    published=(
        Published("mnist", 99.42, _NET, "repository"),
        Published("fashion_mnist", 92.31, _NET, "repository"),
        Published("cifar10", 78.11, _NET, "repository", "a user of the code reports about 75"),
        Published("cifar100", 51.23, _NET, "repository"),
    ),
    departures=(
        "Convolutions are not grouped: theirs have one group a class in every second block.",
        "Batch norms have no gain and bias, and the goodness is read in front of a max-pool, theirs behind it.",
        "Goodness is clamped to +-50 as in their own loss; the default of their code is a plain cross-entropy.",
        "The windows of the schedule are those of the authors' CIFAR-10 run, as parts of the training.",
        "The prediction is the class of the last block's largest goodness; they train a softmax layer on it besides.",
    ),
)
CWCOMP_PVN = replace(CWCOMP, published=())
CWCOMP_CWG = replace(CWCOMP, published=())
