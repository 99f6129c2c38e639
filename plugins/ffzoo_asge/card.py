"""The card of ``asge``."""

from __future__ import annotations

from ffzoo.registry.cards import Card, Published

_NET = "VGG-like"
ASGE = Card(
    title="Adaptive Spatial Goodness Encoding: Advancing and Scaling Forward-Forward Learning Without Backpropagation",
    authors="Gong, Staszewski and Xu",
    year=2025,
    url="https://arxiv.org/abs/2509.12394",
    source="abstract",
    local="A block learns from the cross-entropy of its own patch energies through a matrix that stays as it is.",
    reconstruction=True,
    published=(
        Published("mnist", 99.65, _NET, "abstract"),
        Published("fashion_mnist", 93.41, _NET, "abstract"),
        Published("cifar10", 90.62, _NET, "abstract"),
        Published("cifar100", 65.42, _NET, "abstract"),
        Published("imagenet", 51.58, _NET, "abstract", "26.21 in the first version"),
    ),
    departures=(
        "Between native blocks stands the library's layer norm, behind its max-pool; the paper pools by root mean "
        "squares and normalizes over channels.",
        "The frozen matrix is N(0, 1/d) and the bias N(0, 1): their scales were not read.",
        "The prediction is the sum over the best range of blocks; the paper names last, fusion and best.",
    ),
)
