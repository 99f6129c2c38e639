"""The card of SymBa."""

from __future__ import annotations

from ffzoo.registry.cards import Card, Published

SYMBA = Card(
    title="SymBa: Symmetric Backpropagation-Free Contrastive Learning with Forward-Forward Algorithm for Optimizing "
    "Convergence",
    authors="Lee and Song",
    year=2023,
    url="https://arxiv.org/abs/2303.08418",
    source="third party",
    reconstruction=True,
    local="A block learns from its own goodness alone; what the next block reads is detached.",
    published=(
        Published("mnist", 98.58, "not noted", "memory"),
        Published("cifar10", 59.09, "not noted", "memory"),
        Published("cifar100", 29.28, "not noted", "memory"),
    ),
    departures=(
        "Only the abstract was at hand; the loss with alpha = 4 was read in the code of the Trifecta, which uses it.",
        "The paper calls the label's pattern the intrinsic class pattern; how it is drawn and where it enters are "
        "inferred: Gaussian, added to the input (label_embedding.place=channel puts it beside the image).",
        "Blocks are normalized to a mean square of 1 for the next one, and all blocks train at every step.",
    ),
    remarks=(
        "Below the floor of random features on digits, and a probe of its features stays below it too: telling right "
        "labels from wrong ones leaves less of the image than random weights do.",
    ),
)
