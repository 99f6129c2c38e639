"""The card of HCL-FF."""

from __future__ import annotations

from ffzoo.card import Card, Published

HCL_FF = Card(
    title="HCL-FF: Hierarchical and Contrastive Learning for Forward-Forward Algorithm",
    authors="Yao, Chen and Kuo",
    year=2026,
    url="https://arxiv.org/abs/2605.24797",
    source="code",
    local="A block learns from its own class groups and its own projection head.",
    published=(
        Published("cifar10", 91.68, "ResNet-17, 100 to 800 channels", "abstract", "5.46 more than DeeperForward"),
        Published("cifar100", 70.09, "ResNet-17, 100 to 800 channels", "abstract", "17.00 more than DeeperForward"),
        Published("tiny_imagenet", 48.46, "ResNet, 200 to 1600 channels", "abstract", "12.51 more than DeeperForward"),
    ),
    departures=(),
)
