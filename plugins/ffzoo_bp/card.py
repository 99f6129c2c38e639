"""The cards of the baselines."""

from __future__ import annotations

from ffzoo.registry.cards import Card

BP = Card(
    title="Learning Representations by Back-Propagating Errors",
    authors="Rumelhart, Hinton and Williams",
    year=1986,
    url="https://doi.org/10.1038/323533a0",
    source="memory",
    local="Nothing is local: one loss on the last block trains every block through all blocks behind it.",
    baseline=True,
    departures=(
        "It runs through the blocks and forward norms of the local rules, so that a comparison differs by the rule "
        "alone.",
    ),
)
BP_DEEPSUP = Card(
    title="Deeply-Supervised Nets",
    authors="Lee et al.",
    year=2015,
    url="https://arxiv.org/abs/1409.5185",
    source="abstract",
    local="Nothing is local: every block has a loss, and each loss trains all blocks before it too.",
    baseline=True,
    departures=(
        "It is deep supervision as the twin of dtg_ff: the same modules, initial weights, fusion and optimizers, "
        "without stop-gradients.",
    ),
    remarks=("The abstract of DTG-FF puts its twin 2.40 points ahead of it on CIFAR-10 and 5.93 on CIFAR-100.",),
)
