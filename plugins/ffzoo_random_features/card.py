"""The card of the control."""

from __future__ import annotations

from ffzoo.registry.cards import Card

RANDOM_FEATURES = Card(
    title="Random Features for Large-Scale Kernel Machines",
    authors="Rahimi and Recht",
    year=2007,
    url="https://papers.nips.cc/paper/3182-random-features-for-large-scale-kernel-machines",
    source="memory",
    local="No block learns; each has a linear readout of its own, and the probe sends nothing back.",
    baseline=True,
    departures=(
        "The features are those of a deep network of the library's backbones, layer after layer; the paper's are one "
        "layer of cosines.",
    ),
    remarks=("It is the control to print beside every result that was read by a probe.",),
)
