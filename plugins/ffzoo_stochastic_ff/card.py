"""The card of Stochastic Forward-Forward."""

from __future__ import annotations

from ffzoo.registry.cards import Card

STOCHASTIC_FF = Card(
    title="Stochastic Forward-Forward Learning through Representational Dimensionality Compression",
    authors="Zhu et al.",
    year=2025,
    url="https://arxiv.org/abs/2505.16649",
    source="code",
    local="A block learns from its own features, of copies and of a batch; the probe sends nothing back.",
    departures=(
        "A sample has one noisy copy beside itself; theirs has 20 noisy copies and none without noise.",
        "The prediction is made of the sample without noise; theirs averages the squared outputs of the noisy copies.",
        "The norm between blocks has the statistics of each view; theirs has those of all copies together.",
        "The first block reads standardized images; theirs has a batch norm there as well.",
        "Blocks are the backbone's; theirs are three convolutions of 96, 384 and 1536 channels, the last two depthwise "
        "separable. Flat features, which their code does not have, are one position.",
        "The probe reads pooled features of all blocks and is fitted by L-BFGS; theirs is a linear layer on the last "
        "block's features, trained with dropout.",
        "Published accuracies were not at hand.",
    ),
    remarks=(
        "Below the floor of random features on digits and on MNIST with an MLP: neither dimensionality sees a label, "
        "and two copies of flat features span no more than a plane, whatever the block learns. With a "
        "small CNN on Fashion-MNIST, whose positions count too, it is level with the floor.",
        "The dimensionality of a batch is no mean over its samples, so micro-batches are refused.",
    ),
)
