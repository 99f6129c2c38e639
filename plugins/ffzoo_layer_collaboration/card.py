"""The card of layer collaboration."""

from __future__ import annotations

from ffzoo.registry.cards import Card, Published

LAYER_COLLABORATION = Card(
    title="Layer Collaboration in the Forward-Forward Algorithm",
    authors="Lorberbom et al.",
    year=2023,
    url="https://arxiv.org/abs/2305.12393",
    source="third party",
    reconstruction=True,
    local="No gradient crosses a block, but the value of every other block's goodness enters a block's loss.",
    published=(
        Published("mnist", 97.9, "MLP", "third party", "the authors' FF: 96.6"),
        Published("fashion_mnist", 88.0, "MLP", "third party", "the authors' FF: 86.4"),
        Published("cifar10", 47.3, "MLP", "third party", "the authors' FF: 46.3"),
    ),
    departures=(
        "The goodness is the mean of squares, with a scale of its own in the loss; the paper's is the sum.",
        "The threshold grows with the number of blocks.",
        "All blocks are updated from one batch and from the goodness before the step; the paper takes them in turn.",
        "The label is written at a height of 5, as in vanilla_ff.",
    ),
    remarks=(
        "Below the floor of random features on digits, and a probe of its features stays below it too: telling right "
        "labels from wrong ones leaves less of the image than random weights do.",
    ),
)
