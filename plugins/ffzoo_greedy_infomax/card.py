"""The card of Greedy InfoMax."""

from __future__ import annotations

from ffzoo.registry.cards import Card, Published

GREEDY_INFOMAX = Card(
    title="Putting An End to End-to-End: Gradient-Isolated Learning of Representations",
    authors="Löwe, O'Connor and Veeling",
    year=2019,
    url="https://arxiv.org/abs/1905.11786",
    source="code",
    local="A block learns from its own map alone, without labels; the probe sends nothing back.",
    published=(Published("stl10", 81.9, "ResNet-50 up to its third stage, in three modules", "memory"),),
    departures=(
        "Patches are windows of a block's map, whose receptive fields overlap; theirs are cut out of the image, and "
        "every patch is encoded by itself.",
        "The right patch stands among those of the other samples of the batch at the same place; theirs among 16 drawn "
        "from all places and samples.",
        "Every block of the backbone is a module; theirs are three stages of a residual network.",
        "The matrices W_k start from N(0, 1/C^2); theirs as PyTorch's convolutions do, orthogonal only on request.",
        "Blocks are normalized for the next one by the library's forward norm; theirs have no normalization.",
        "The probe reads pooled features of all blocks; theirs the last module's.",
    ),
    remarks=(
        "It needs maps: an mlp or flat inputs are refused.",
        "The prediction couples the samples of a batch, so micro-batches are refused.",
    ),
)
