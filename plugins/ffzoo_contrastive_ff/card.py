"""The card of Contrastive Forward-Forward."""

from __future__ import annotations

from ffzoo.registry.cards import Card, Published

CONTRASTIVE_FF = Card(
    title="Contrastive Forward-Forward: A Training Algorithm of Vision Transformer",
    authors="Aghagolzadeh and Ezoji",
    year=2025,
    url="https://arxiv.org/abs/2502.00571",
    source="code",
    local="A block learns from the likeness of its own features in a batch; the probe sends nothing back.",
    published=(Published("cifar10", 85.4, "vision transformer (5 blocks in the code)", "third party"),),
    departures=(
        "One view is the sample as training gives it, and only the second is augmented by the rule; theirs augments "
        "both, by large crops and flips.",
        "Images are moved by a pixel and get noise; vectors get noise alone.",
        "Samples are compared by a learned projection of their features to 128 numbers; the authors' code compares the "
        "features themselves, which terms.0.goodness.width=0 does.",
        "The probe reads pooled features of all blocks and is fitted by L-BFGS; theirs is a layer norm and a linear "
        "layer on the last block, trained for 50 epochs.",
        "Blocks are the backbone's, normalized for the next one by the library's forward norm; theirs are a "
        "transformer's, with norms inside.",
    ),
    remarks=("The contrast couples the samples of a batch, so micro-batches are refused.",),
)
