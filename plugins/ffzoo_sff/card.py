"""The card of Scalable Forward-Forward."""

from __future__ import annotations

from ffzoo.registry.cards import Card, Published

SFF = Card(
    title="Scalable Forward-Forward Algorithm",
    authors="Krutsylo",
    year=2025,
    url="https://arxiv.org/abs/2501.03176",
    source="third party",
    reconstruction=True,
    local="A block learns from an auxiliary convolution of its own; what the next block reads is detached.",
    published=(Published("cifar10", 81.38, "CNN", "third party", "the author's backprop: 78.49"),),
    departures=(
        "The loss is log-sum-exp of all classes' goodness less the right one's, as a third party gives it, "
        "which is the "
        "cross-entropy; summaries call it a margin loss, and whether the paper adds a constant could not be read.",
        "The layer norm between blocks has no gain and no bias.",
        "The optimizer is that of every rule of the library.",
    ),
)
