"""The cards of ``cwcomp`` and its losses."""

from __future__ import annotations

from dataclasses import replace

from ffzoo.card import Card, Published

_NET = "four convolutions, 20-80-240-480 channels on CIFAR-10"
CWCOMP = Card(
    title="Convolutional Channel-wise Competitive Learning for the Forward-Forward Algorithm",
    authors="Papachristodoulou et al.",
    year=2023,
    url="https://arxiv.org/abs/2312.12668",
    source="code",
    local="A block learns from the competition of its own channel groups; batch norm stands between the blocks.",
    published=(
        Published("mnist", 99.42, _NET, "repository"),
        Published("fashion_mnist", 92.31, _NET, "repository"),
        Published("cifar10", 78.11, _NET, "repository", "a user of the code reports about 75"),
        Published("cifar100", 51.23, _NET, "repository"),
    ),
    departures=(
        "Convolutions are not grouped: theirs have one group a class in every second block.",
        "The windows of the schedule are those of the authors' CIFAR-10 run, as parts of the training.",
    ),
)
CWCOMP_PVN = replace(CWCOMP, published=())
CWCOMP_CWG = replace(CWCOMP, published=())
