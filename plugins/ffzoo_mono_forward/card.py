"""The card of ``mono_forward``."""

from __future__ import annotations

from ffzoo.registry.cards import Card, Published

MONO_FORWARD = Card(
    title="Mono-Forward: Backpropagation-Free Algorithm for Efficient Neural Network Training Harnessing Local Errors",
    authors="Gong et al.",
    year=2025,
    url="https://arxiv.org/abs/2501.09238",
    source="abstract",
    local="A block and its matrix learn from the cross-entropy of their own scores.",
    reconstruction=True,
    published=(
        Published("fashion_mnist", 93.98, "CNN", "third party"),
        Published("cifar10", 58.3, "MLP", "third party", "about"),
        Published("cifar100", 63.28, "CNN", "third party", "31.5 with an MLP"),
    ),
    departures=("The initial M is N(0, 1/D): the paper's was not read.",),
)
