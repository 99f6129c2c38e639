"""The cards of Hinton's Forward-Forward."""

from __future__ import annotations

import dataclasses

from ffzoo.card import Card, Published

_OPTIMIZER = "The optimizer is that of every rule of the library, and there is no peer normalization."
_LOSS = (
    "The goodness is the mean of squares with a softer loss (scale 8, threshold 2); loss.scale=dim with "
    "loss.threshold=1 is the sum of squares against a threshold of the number of units."
)

VANILLA_FF = Card(
    title="The Forward-Forward Algorithm: Some Preliminary Investigations",
    authors="Hinton",
    year=2022,
    url="https://arxiv.org/abs/2212.13345",
    source="third party",
    reconstruction=True,
    local="A block learns from its own goodness alone; what the next block reads is detached.",
    published=(Published("mnist", 98.64, "MLP 4 x 2000", "memory"),),
    departures=(
        _LOSS,
        "The label is written at a height of 5.",
        "The wrong label is drawn evenly from the other classes; the paper's harder ones, drawn from a readout, are "
        "not here.",
        _OPTIMIZER,
    ),
)
VANILLA_FF_UNSUP = dataclasses.replace(
    VANILLA_FF,
    local="A block learns from its own goodness alone, without labels; the linear readout sends nothing back.",
    published=(Published("mnist", 98.63, "MLP 4 x 2000", "memory", "linear softmax on the last three blocks"),),
    departures=(
        _LOSS,
        "The linear readout is trained together with the blocks, not afterwards, on layer-normalized features; "
        "fusion=probe fits it afterwards.",
        "Feature maps are pooled to one number a channel for the readout.",
        _OPTIMIZER,
    ),
    remarks=("It needs images: the mask that mixes two of them is a picture.",),
)
VANILLA_FF_HARD = dataclasses.replace(VANILLA_FF)
VANILLA_FF_PEER = dataclasses.replace(VANILLA_FF)
