"""The card of ``deeperforward``."""

from __future__ import annotations

from ffzoo.registry.cards import Card, Published

_NET = "ResNet of 17 layers, planes 100-200-400-800"
DEEPERFORWARD = Card(
    title="DeeperForward: Enhanced Forward-Forward Training for Deeper and Better Performance",
    authors="Sun et al.",
    year=2025,
    url="https://openreview.net/forum?id=kOYnXVQCtA",
    source="code",
    local="A block learns from the cross-entropy of its own channel groups.",
    published=(
        Published("mnist", 99.63, _NET, "repository"),
        Published("fashion_mnist", 93.13, _NET, "repository"),
        Published("cifar10", 86.22, _NET, "repository"),
        Published("cifar100", 53.09, _NET, "repository", "60.28 with a wider network"),
    ),
    departures=(
        "The code that was read is a modified copy by a third party.",
        "The detached shortcuts between their blocks are not here, nor their layer norm of the input.",
        "The group norm has as many groups as its option says and as divide the channels, theirs one a class.",
    ),
    remarks=(
        "Below the floor of random features on digits, and so is a probe of its features: a class has the plain mean "
        "of 20 units, which are all pushed the same way.",
        "The sum of log softmax(g) over blocks orders the classes as their sum of g does.",
    ),
)
