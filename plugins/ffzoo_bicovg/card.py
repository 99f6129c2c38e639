"""The card of BiCovG."""

from __future__ import annotations

from ffzoo.registry.cards import Card, Published

BICOVG = Card(
    title="Covariance-Aware Goodness for Scalable Forward-Forward Learning",
    authors="Jiang, Al-Hashimi and Xu",
    year=2026,
    url="https://arxiv.org/abs/2605.04346",
    source="abstract",
    reconstruction=True,
    local="A block learns from its own statistics alone; the weights of the blocks are fitted afterwards.",
    published=(
        Published("imagenet100", 73.01, "VGG-16", "abstract"),
        Published("tiny_imagenet", 50.30, "VGG-16", "abstract"),
    ),
    departures=(
        "Only the abstract could be read, which gives no formula: how channels are mixed, the windows, what is made of "
        "them and the matrix behind them are ours.",
        "The logistic fusion is a convex combination of the blocks' log-probabilities, fitted on the validation part.",
        "The feature alignment layer between blocks and the blocks that share a gradient (hybrid goodness blocks) are "
        "not here.",
    ),
)
