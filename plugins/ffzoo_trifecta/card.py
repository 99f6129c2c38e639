"""The card of the Trifecta."""

from __future__ import annotations

from ffzoo.registry.cards import Card, Published

TRIFECTA = Card(
    title="The Trifecta: Three simple techniques for training deeper Forward-Forward networks",
    authors="Dooms, Tsang and Oramas",
    year=2023,
    url="https://arxiv.org/abs/2311.18130",
    source="code",
    local="A block learns from its own loss in one step and from the next block's in the other; a gradient crosses one "
    "boundary, never two.",
    published=(
        Published("mnist", 99.58, "6 convolutions", "memory"),
        Published("fashion_mnist", 91.44, "6 convolutions", "memory"),
        Published("svhn", 94.31, "convolutional", "memory"),
        Published("cifar10", 84.0, "convolutional, deeper", "abstract", "around 84"),
    ),
    departures=(
        "Their batch norm has a gain and a bias and stands before the first block too.",
        "The network is the library's; theirs pools inside a block, so its goodness reads the pooled map.",
        "The label's channel learns with the first block, in pairs also from the second block's loss; theirs only "
        "from the first block's.",
        "Positive and negative views are normalized by their own batch statistics; theirs share one batch.",
        "The label's channel starts at a standard deviation of 0.5, theirs at 1; the validation part of digits chose.",
        "The optimizer is that of every rule of the library, with one state a block; theirs keeps two for most blocks.",
    ),
    remarks=(
        "Below the floor of random features on digits, and a probe of its features stays below it too: telling right "
        "labels from wrong ones leaves less of the image than random weights do.",
    ),
)
