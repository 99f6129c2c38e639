"""The card of Integrated Forward-Forward."""

from __future__ import annotations

from ffzoo.registry.cards import Card

INTEGRATED_FF = Card(
    title="The Integrated Forward-Forward Algorithm: Integrating Forward-Forward and Shallow Backpropagation With "
    "Local Losses",
    authors="Tang",
    year=2023,
    url="https://arxiv.org/abs/2305.12960",
    source="code",
    local="Local between blocks, backprop inside one: with two layers a block half of the layers get a gradient from "
    "another layer.",
    departures=(
        "A block trains for an equal share of the epochs and then stays; theirs takes 50 steps on a batch, of all of "
        "MNIST, then the next block does, and so on every epoch.",
        "Features are divided by their root mean square for the next block; theirs by their Euclidean norm, and the "
        "input as well (forward_norm=l2).",
        "A negative's label is never the true one; theirs are the batch's labels shuffled.",
        "Blocks are of equal width and two layers each; theirs have for example 200-200-200 and 50-50 units.",
        "The label is written at a height of 5, theirs at that of the brightest pixel.",
    ),
    remarks=(
        "Below the floor of random features on digits, and a probe of its features stays below it too: telling right "
        "labels from wrong ones leaves less of the image than random weights do.",
        "A backbone without the option layers keeps its own blocks: look at the weight layers a block, which every "
        "run reports.",
    ),
)
