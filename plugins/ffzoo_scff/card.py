"""The card of self-contrastive Forward-Forward."""

from __future__ import annotations

from ffzoo.registry.cards import Card, Published

SCFF = Card(
    title="Self-Contrastive Forward-Forward Algorithm",
    authors="Chen et al.",
    year=2024,
    url="https://arxiv.org/abs/2409.11593",
    source="code",
    local="A block learns from its own goodness alone, without labels; the probe sends nothing back.",
    published=(
        Published("mnist", 98.7, "MLP, two layers of 2000", "repository"),
        Published("cifar10", 80.75, "three convolutions, 96-384-1536", "repository"),
        Published("stl10", 77.3, "four convolutions, 96-384-1536-6144", "repository"),
    ),
    departures=(
        "All blocks have one pair of thresholds and one penalty; theirs were searched block by block.",
        "What goes on is the backbone's ReLU; theirs is relu(a - mean of a over channels), another activation than "
        "the one whose goodness is trained.",
        "Two samples meet in front of the first block alone; while their last convolution is trained, and for the "
        "probe, every convolution pairs its inputs anew.",
        "Images are standardized by the training part's statistics; theirs each by its own, before they are paired.",
        "The bias counts once; in their fully connected layers, and in convolutions that read pairs, it counts twice.",
        "The probe reads pooled features of all blocks, standardized over the training part, and is fitted by L-BFGS; "
        "theirs standardizes them sample by sample and is trained with dropout.",
    ),
    remarks=(
        "Level with the floor of random features on digits: what its blocks learn without labels does not show there.",
    ),
)
