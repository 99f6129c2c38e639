"""The cards of DTG-FF."""

from __future__ import annotations

import dataclasses

from ffzoo.registry.cards import Card, Published

_BOTH = (
    "The prediction is the sum over the range of blocks that is best on the validation part; readers name global "
    "average pooling on the fusion path, and how that is wired could not be read.",
    "R ~ N(0, 1/d) and a layer norm without gain are inferred; the temperature's range is that of the author's "
    "earlier code.",
)

DTG_FF = Card(
    title="Synthetic Benchmarks Overstate Forward-Forward Scaling: Real-Data Limits of Layer-Local Training",
    authors="Chen",
    year=2026,
    url="https://arxiv.org/abs/2606.06539",
    source="third party",
    reconstruction=True,
    local="A block learns from its own cross-entropy alone; the fusion chooses blocks and sends nothing back.",
    published=(
        Published("cifar10", 91.8, "not named in the abstract", "abstract"),
        Published("imagenet100", 49.4, "not named in the abstract", "abstract", "at 224 x 224"),
    ),
    departures=(
        "The goodness reads energies h^2 on a 4 x 4 grid of patches, as ASGE does, for its accuracy; dtg_ff_gap is "
        "the literal reading.",
        *_BOTH,
    ),
    remarks=(
        "The author's earlier code of that name is not ported: its goodness is the same number for every sample.",
    ),
)
DTG_FF_GAP = dataclasses.replace(DTG_FF, departures=_BOTH)
