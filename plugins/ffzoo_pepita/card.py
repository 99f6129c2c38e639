"""The card of PEPITA."""

from __future__ import annotations

from ffzoo.registry.cards import Card, Published

PEPITA = Card(
    title="Error-driven Input Modulation: Solving the Credit Assignment Problem without a Backward Pass",
    authors="Dellaferrera and Kreiman",
    year=2022,
    url="https://arxiv.org/abs/2201.11665",
    source="code",
    local="No weight of another block enters a block's update, but the output's error does, by way of the input.",
    published=(
        Published("mnist", 98.29, "the paper's best", "memory"),
        Published("cifar10", 56.33, "the paper's best", "memory"),
        Published("cifar100", 27.56, "the paper's best", "memory"),
    ),
    departures=(
        "The change of a block's features is taken back through its own units, so that one which is silent in the "
        "second pass does not learn; theirs enters at the weights as it is.",
        "A block of several layers is taught at its output and learns through its own layers by autograd.",
        "A convolution's update is summed over positions; theirs is averaged.",
        "Blocks are normalized for the next one by the library's forward norm.",
        "There are biases, and no dropout unless the backbone has it; masks are the same in both passes, as theirs.",
        "The optimizer is that of every rule of the library; theirs is momentum with a rate that decays in steps.",
        "The output layer reads maps averaged to 4x4 windows.",
    ),
)
